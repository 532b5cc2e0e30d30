/**
 * What an engine is to the classes of this folder: the functions of the Rust half, in WebAssembly or native.
 *
 * Flags, keys and contexts are numbers here, and every other answer is JSON. The functions never throw.
 */

/** Instead of a slot: there is no flag of that key. */
export const ABSENT = -1;
/** Instead of a slot: nothing is published yet. */
export const NOT_READY = -2;

/** The context that lives for one call. */
export const SCRATCH = 0;
/** The context without a targeting key and without attributes. */
export const NOBODY = 1;

/** Instead of the number of an outcome: there is none. */
export const NO_OUTCOME = 0xffff_ffff;

/** The functions of the Rust half. A time that is `NaN` is now. */
export interface Engine {
  /** New flags: their number. */
  open(): number;
  /** Lets go of flags. */
  close(flags: number): void;
  /** Publishes at once: a report, or `{"refused", "violations"}`, as JSON. */
  publish(flags: number, snapshot: Uint8Array, strict: boolean, acceptOlder: boolean): string;
  /** The same off this thread, where an engine can do that; the bytes must not change meanwhile. */
  publishLater?(flags: number, snapshot: Uint8Array, strict: boolean, acceptOlder: boolean): Promise<string>;
  /** Keeps a context: its number, or 0 if the JSON is no context. */
  context(json: string): number;
  /** Puts a context under `SCRATCH` and says whether the JSON is one. */
  scratch(json: string): boolean;
  /** Lets go of a context. */
  forget(context: number): void;
  /** The slot of a key, or `ABSENT` or `NOT_READY`; asked once for each key. */
  slot(flags: number, key: string): number;
  /** Whether the flag is on for this context, now. */
  isEnabled(flags: number, slot: number, context: number): boolean;
  /** The number of the outcome, or `NO_OUTCOME`. */
  resolve(flags: number, slot: number, context: number, now: number): number;
  /** The outcome of that number as JSON, if it was given for the first time just now; otherwise all are told again. */
  told(flags: number, outcome: number): string;
  resolveAll(flags: number, context: number, now: number): string;
  explain(flags: number, key: string, context: number, now: number): string;
  /** The keys are a JSON array, or empty for all. */
  project(flags: number, keys: string, context: number, now: number): string;
  clientSnapshot(flags: number, keys: string, context: number, now: number): string;
  keys(flags: number): string;
  about(flags: number): string;
}

let current: Engine | undefined;

/** Makes an engine the one that everything uses. A package does so once. */
export function install(engine: Engine): void {
  current ??= engine;
}

/** The engine, if there is one already. */
export function engine(): Engine | undefined {
  return current;
}
