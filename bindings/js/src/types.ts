/** The shapes that every JavaScript host shares. Sections of SEMANTICS.md are given in brackets. */

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

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

/**
 * The same without the index signature, which an app's `interface` does not have: every other field is an attribute.
 * `object` allows one that has none of these fields; a list, a map or a set is not a context.
 */
export type ContextFields = Pick<PlainContext, 'user' | 'targetingKey' | 'company' | 'plan' | 'region' | 'role' | 'roles'> &
  object & { [Symbol.iterator]?: never };

/** Why a flag resolved as it did: OpenFeature's names [7]. */
export type Reason = 'STATIC' | 'TARGETING_MATCH' | 'SPLIT' | 'DEFAULT' | 'DISABLED' | 'ERROR';

/** What went wrong: OpenFeature's names [7, 12]. */
export type ErrorCode =
  | 'PROVIDER_NOT_READY'
  | 'FLAG_NOT_FOUND'
  | 'PARSE_ERROR'
  | 'TARGETING_KEY_MISSING'
  | 'INVALID_CONTEXT';

/** The answer for one flag, with its reason [7.18, 12.3]. */
export interface Resolution {
  enabled: boolean;
  /** The value that is served, on or off; null where there is no answer. */
  value: JsonValue;
  variant: string | null;
  reason: Reason;
  errorCode: ErrorCode | null;
}

/** The values of chosen flags without reasons, for a browser [10.2]. */
export type Projection = { [key: string]: Projected };

/** One flag of a projection. */
export interface Projected {
  enabled: boolean;
  value: JsonValue;
  /** Present only if the flag serves a variant. */
  variant?: string;
}

/** One step of an explanation, with what it compared and the steps inside it. */
export interface Step {
  step: string;
  /** The kind of sentence, as a name that does not change: with the compared values, another language can express the same [10.8]. */
  code: string;
  outcome: 'yes' | 'no' | 'unknown';
  sentence: string;
  steps?: Step[];
  [operand: string]: JsonValue | Step[] | undefined;
}

/** A resolution with the whole path to it [10.1]. */
export interface Explanation {
  resolution: Resolution;
  steps: Step[];
  /** The sentence of the first step that failed, or null if none did. */
  firstNo: string | null;
  /** The code of that step. */
  firstNoCode: string | null;
  /** The whole path in lines for people. */
  text: string;
}

/** What is wrong in a snapshot, for its author. */
export interface Violation {
  /** A JSON pointer into the snapshot. */
  place: string;
  /** The kind of problem, as a name that does not change, such as `out-of-range` [9.9]. */
  code: string;
  /** What is wrong, and what was expected. */
  problem: string;
}

/** A flag that was set aside [8], and the definition that it keeps meanwhile. */
export interface SetAside {
  key: string;
  /** Whether its row says off [8.7]. */
  off: boolean;
  /** Where its kept definition comes from, or null if it has none. */
  kept: { revision: number | null; publishes: number } | null;
}

/** The result of publishing [9.3]. */
export interface Report {
  outcome: 'published' | 'older';
  /** The revision of the snapshot that was to be published. */
  revision: number | null;
  added: string[];
  removed: string[];
  changed: string[];
  setAside: SetAside[];
  violations: Violation[];
  /** What was understood of the snapshot [9.7]. */
  reading: Reading;
}

/** What was understood of a snapshot: names, counts and kinds, never values [9.7]. */
export interface Reading {
  rows: number;
  flags: number;
  columns: Column[];
  notices: Notice[];
  /** A hash of the columns and of how they are read; it changes when these change. */
  fingerprint: string;
  /** The name of the mapping that has read the rows, such as the path of its file; null without one. */
  mapping: string | null;
  /** The rows that the mapping leaves out: the column of `counts`, or the side table whose rows name no flag. */
  rowsLeftOut: { why: string; rows: number }[];
}

/** A field that some flag has, and how it is read. */
export interface Column {
  column: string;
  /** The field that it is read as, or null if it is not read. */
  readAs: string | null;
  /** Why it is not read, such as `not read` or `looks like a restriction`; null if it is read. */
  why: string | null;
  rows: number;
  /** Number of rows in which it is not empty. */
  notEmpty: number;
  /** Number of rows in which it restricts: their flags are off until the column is read or ignored. */
  withheld: number;
  /** The kinds of its values, if it is not read: `boolean`, `number`, `text`, `array`, `object`. */
  kinds: string[];
}

/** Something that a person should look at [9.8]. */
export interface Notice {
  /** The kind of notice, such as `no-switch`, `twins` or `new-column`. */
  code: string;
  problem: string;
  rows: number;
}

/** How a snapshot is published. */
export interface PublishOptions {
  /** Refuse a snapshot with any violation, for linting and CI [8.9]. */
  strict?: boolean;
  /** Accept a revision that is older than the current one [9.2]. */
  acceptOlder?: boolean;
}

/** The values of an app's flags by key: `esclusa codegen typescript` writes such a type, for `Flags<AppFlags>`. */
export type AnyFlags = { [key: string]: { value: unknown; variant: string | null } };

/** The keys of these flags. */
export type KeyOf<F> = Extract<keyof F, string>;

/** The value of one of these flags, on or off; any JSON if the type does not say. */
export type ValueOf<F, K> = K extends keyof F ? (F[K] extends { value: infer Value } ? (unknown extends Value ? JsonValue : Value) : JsonValue) : JsonValue;

/** The variants of a flag of these, null for none. */
export type VariantOf<F, K> = K extends keyof F ? (F[K] extends { variant: infer Variant } ? Variant : string | null) : string | null;
