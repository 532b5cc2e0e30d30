/* eslint-disable */
// Made by `esclusa codegen` from typed.json, revision 42, as of 2026-11-30. Do not edit it: make it again.

/** The flags of this app: `Flags<AppFlags>` knows their keys and values. */
export type AppFlags = {
  /** @deprecated the flag has been on for everybody for 333 days */
  "2fa": { value: boolean; variant: null };
  "checkout-layout": { value: "grid" | "list"; variant: "a" | "b" | null };
  "checkoutLayout": { value: "gr\"i\\d\u2028" | null; variant: "a" | "b" | null };
  /**
   * The new CRM.
   * For *\/ "premium" plans [beta].
   */
  "crm_advanced": { value: boolean; variant: null };
  "facturación.nueva": { value: boolean; variant: null };
  "limit": { value: number; variant: "high" | "low" | null };
  "mixed": { value: "a" | number | unknown[] | null; variant: "x" | "y" | "z" | null };
  "ratio": { value: number | null; variant: "high" | "low" | null };
  "theme": { value: { "accent"?: string; "dark": boolean; "sizes"?: number[] } | null; variant: "x" | "y" | null };
};

/** The keys, as constants. */
export const flagKeys = {
  /** @deprecated the flag has been on for everybody for 333 days */
  FLAG_2FA: "2fa",
  CHECKOUT_LAYOUT: "checkout-layout",
  CHECKOUT_LAYOUT_2: "checkoutLayout",
  /**
   * The new CRM.
   * For *\/ "premium" plans [beta].
   */
  CRM_ADVANCED: "crm_advanced",
  FACTURACIÓN_NUEVA: "facturación.nueva",
  LIMIT: "limit",
  MIXED: "mixed",
  RATIO: "ratio",
  THEME: "theme",
} as const satisfies Record<string, keyof AppFlags>;

declare module '@esclusa/react' {
  interface Registered {
    flags: AppFlags;
  }
}
