/**
 * The interface of an engine to the classes of this folder: the functions of the Rust half, in WebAssembly or native.
 *
 * Flags, keys and contexts are numbers here, and every other answer is JSON. The functions never throw.
 */

import type { PublishOptions } from './types.js';

/** How bytes are published; `withMappings` turns an app's mapping into the text that an engine takes. */
export interface Publishing extends PublishOptions {
  mapping?: unknown;
}

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
  /** Frees flags. */
  close(flags: number): void;
  /** Publishes at once: a report, or `{"refused", "code", "violations"}`, as JSON. Full builds use the mapping. */
  publish(flags: number, snapshot: Uint8Array, options?: Publishing | null): string;
  /** The same off this thread, where an engine can do that; the bytes must not change until it resolves. */
  publishLater?(flags: number, snapshot: Uint8Array, options?: Publishing | null): Promise<string>;
  /** Keeps a context: its number, or 0 if the JSON is not a context. */
  context(json: string): number;
  /** Puts a context under `SCRATCH`; false if the JSON is not a context. */
  scratch(json: string): boolean;
  /** Puts a plain object under `SCRATCH` without JSON, if possible: for an engine with a faster way. */
  fields?(plain: object): boolean;
  /** Frees a context. */
  forget(context: number): void;
  /** The slot of a key, or `ABSENT` or `NOT_READY`; asked once for each key. */
  slot(flags: number, key: string): number;
  /** Whether the flag is on for this context, now. */
  isEnabled(flags: number, slot: number, context: number): boolean;
  /** The number of the outcome, or `NO_OUTCOME`. */
  resolve(flags: number, slot: number, context: number, now: number): number;
  /** Takes the outcome of that number as JSON, if it is new; otherwise the engine gives all outcomes again. */
  takeOutcome(flags: number, outcome: number): string;
  /** Resolves a time, of an engine without the four functions that follow. */
  time?(now: number): number;
  /** Not in the small builds of `@esclusa/wasm`, as the next three. */
  resolveAll?(flags: number, context: number, now: number): string;
  explain?(flags: number, key: string, context: number, now: number): string;
  /** The keys are a JSON array, or empty for all. */
  project?(flags: number, keys: string, context: number, now: number): string;
  clientSnapshot?(flags: number, keys: string, context: number, now: number): string;
  /** Keeps the current set as flags of its own, which take no publish. Returns their index. The small builds lack this function and the next. */
  hold?(flags: number): number;
  /** Whether those hold the set that is current in these flags. */
  holds?(flags: number, held: number): boolean;
  keys(flags: number): string;
  about(flags: number): string;
  /** A protocol of staying fresh, by a policy as JSON: its number. Not in the smallest build, as all that follows. */
  protocol?(policy: string): number;
  /** Passes an event to a protocol, and gives the next action, both as JSON. */
  step?(protocol: number, event: string): string;
  /** Whether these are the bytes that the source sent last. */
  isKnown?(protocol: number, bytes: Uint8Array): boolean;
  /** Frees a protocol. */
  end?(protocol: number): void;
  /** A new stream of server-sent events: its number. */
  stream?(): number;
  /** Whether these bytes of the stream end an event that is news [11.20]. */
  hasNews?(stream: number, bytes: Uint8Array): boolean;
  /** Frees a stream. */
  endStream?(stream: number): void;
  /** A decision of staying fresh that is the same in every host, as JSON; empty for an unknown question. */
  decide?(question: string): string;
  /**
   * Merges snapshots: they follow each other in the bytes, with their lengths as a JSON array. Gives the merged
   * snapshot, an empty text, or `{"refused", "layer"}`. In full builds alone, as everything that follows.
   */
  layered?(snapshots: Uint8Array, lengths: string): string;
  /** The same off this thread, where an engine can do that; the bytes must not change until it resolves. */
  layeredLater?(snapshots: Uint8Array, lengths: string): Promise<string>;
  /** The name and parameters of a mapping, or a refusal, both as JSON. */
  mapping?(given: string): string;
  /** Rows that a mapping reads, as a snapshot, or a refusal. */
  mapped?(rows: Uint8Array, mapping: string): string;
  /** The same off this thread, where an engine can do that; the bytes must not change until it resolves. */
  mappedLater?(rows: Uint8Array, mapping: string): Promise<string>;
  /** Whose mapping read the last rows of a source, by its translation. */
  mappedBy?(translation: unknown): 'app' | 'stored' | 'app instead of stored' | null;
  /** The switches among variables of an environment, both as JSON. */
  switches?(given: string): string;
}

/** The differences between the builds of a package; known before there is an engine. */
export const build = { clientSnapshots: true };

let current: Engine | undefined;

/** Sets the engine that everything uses. A package does so once. */
export function install(engine: Engine): void {
  current ??= engine;
}

/** The engine, if it is loaded. */
export function engine(): Engine | undefined {
  return current;
}
