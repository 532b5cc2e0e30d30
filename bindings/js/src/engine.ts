/**
 * What an engine is to the classes of this folder: the functions of the Rust half, in WebAssembly or native.
 *
 * Flags, keys and contexts are numbers here, and every other answer is JSON. The functions never throw.
 */

import type { PublishOptions } from './types.js';

/** How bytes are published; what an app gives as a mapping, `withMappings` makes the text that an engine is told. */
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
  /** Lets go of flags. */
  close(flags: number): void;
  /** Publishes at once: a report, or `{"refused", "code", "violations"}`, as JSON. Full builds heed the mapping. */
  publish(flags: number, snapshot: Uint8Array, options?: Publishing | null): string;
  /** The same off this thread, where an engine can do that; the bytes must not change meanwhile. */
  publishLater?(flags: number, snapshot: Uint8Array, options?: Publishing | null): Promise<string>;
  /** Keeps a context: its number, or 0 if the JSON is no context. */
  context(json: string): number;
  /** Puts a context under `SCRATCH` and says whether the JSON is one. */
  scratch(json: string): boolean;
  /** Puts a plain object under `SCRATCH` without JSON, if it can: of an engine that has a faster way. */
  fields?(plain: object): boolean;
  /** Lets go of a context. */
  forget(context: number): void;
  /** The slot of a key, or `ABSENT` or `NOT_READY`; asked once for each key. */
  slot(flags: number, key: string): number;
  /** Whether the flag is on for this context, now. */
  isEnabled(flags: number, slot: number, context: number): boolean;
  /** The number of the outcome, or `NO_OUTCOME`. */
  resolve(flags: number, slot: number, context: number, now: number): number;
  /** The outcome of that number as JSON, if it was given for the first time just now; otherwise all are told again. */
  takeOutcome(flags: number, outcome: number): string;
  /** The time that a time stands for, of an engine that has none of the four functions that follow. */
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
  /** Tells a protocol of an event, and gives what to do next, both as JSON. */
  step?(protocol: number, event: string): string;
  /** Whether these are the bytes that the source gave last. */
  isKnown?(protocol: number, bytes: Uint8Array): boolean;
  /** Lets go of a protocol. */
  end?(protocol: number): void;
  /** A new stream of server-sent events: its number. */
  stream?(): number;
  /** Whether these bytes of the stream end an event that is news [11.20]. */
  hasNews?(stream: number, bytes: Uint8Array): boolean;
  /** Lets go of a stream. */
  endStream?(stream: number): void;
  /** A decision of staying fresh that every host takes alike, as JSON; nothing for no such question. */
  decide?(question: string): string;
  /**
   * Lays snapshots one over the other: they follow each other in the bytes, with their lengths as a JSON array. It gives
   * the whole, nothing, or `{"refused", "layer"}`. In full builds alone, as what follows.
   */
  layered?(snapshots: Uint8Array, lengths: string): string;
  /** The same off this thread, where an engine can do that; the bytes must not change meanwhile. */
  layeredLater?(snapshots: Uint8Array, lengths: string): Promise<string>;
  /** What there is to know of a mapping, or a refusal, both as JSON. */
  mapping?(given: string): string;
  /** Rows that a mapping reads, as a snapshot, or a refusal. */
  mapped?(rows: Uint8Array, mapping: string): string;
  /** The same off this thread, where an engine can do that; the bytes must not change meanwhile. */
  mappedLater?(rows: Uint8Array, mapping: string): Promise<string>;
  /** Whose mapping read the last rows of a source, by its translation. */
  mappedBy?(translation: unknown): 'app' | 'stored' | 'app instead of stored' | null;
  /** The switches among variables of an environment, both as JSON. */
  switches?(given: string): string;
}

/** What the builds that a package has differ in; known before there is an engine. */
export const build = { clientSnapshots: true };

let current: Engine | undefined;

/** Makes an engine the one that everything uses. A package does so once. */
export function install(engine: Engine): void {
  current ??= engine;
}

/** The engine, if there is one already. */
export function engine(): Engine | undefined {
  return current;
}
