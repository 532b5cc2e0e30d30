/**
 * The interface of a `flags` object, and the types of this package: structural, so that the WASM engine, the native one
 * and an object of your own all fit. The numbers in brackets are sections of SEMANTICS.md.
 */

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/** One flag of a projection: the answer without its reason [10.2]. */
export interface Projected {
  /** Whether the flag is on; one that resolves to an error is off. */
  enabled: boolean;
  /** The value that is served, on or off. */
  value: JsonValue;
  /** The variant that is served; only there if there is one. */
  variant?: string;
}

/** The values of chosen flags for one caller, as a server sends them to a browser [10.2]. */
export type Projection = { [key: string]: Projected };

/** The caller as a plain object [3], or a `Context` of the engine. */
export type CallerContext = PlainContext | { toJSON(): unknown };

/** The caller as a plain object [3]; every other name is an attribute. */
export interface PlainContext {
  /** The targeting key: the caller's id. */
  user?: string | number | null;
  /** OpenFeature's spelling of `user`; it counts if both are given. */
  targetingKey?: string | number | null;
  company?: string | number | null;
  plan?: string | number | null;
  region?: string | number | null;
  role?: string | number | null | readonly (string | number)[];
  roles?: string | number | null | readonly (string | number)[];
  [attribute: string]: unknown;
}

/** The methods that a `flags` object needs, which `@esclusa/wasm` and `@esclusa/node` have. */
export interface FlagsLike {
  /** Whether a snapshot was published. */
  readonly isReady: boolean;
  /** The answer for one flag; it never throws. */
  resolve(
    key: string,
    context?: CallerContext | null,
  ): { enabled: boolean; value: JsonValue; variant: string | null; errorCode: string | null };
  /** Calls the listener after each publish. Returns a function that removes it. */
  onPublish(listener: (report: { readonly removed: readonly string[] }) => void): () => void;
}

/** Flags, or flags that are loading: a promise, or a function that loads them once the page is up. */
export type FlagsSource = FlagsLike | PromiseLike<FlagsLike> | (() => FlagsLike | PromiseLike<FlagsLike>);

/** Whether the flags are loading. */
export function isLater(source: FlagsSource): source is Exclude<FlagsSource, FlagsLike> {
  return typeof source === 'function' || (typeof source === 'object' && 'then' in source);
}

/** Whether a loaded value has the methods of flags. */
export function isFlags(given: unknown): given is FlagsLike {
  const { resolve, onPublish } = (given ?? {}) as Partial<FlagsLike>;
  return typeof resolve === 'function' && typeof onPublish === 'function';
}
