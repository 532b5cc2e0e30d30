/** The native engine: the addon's functions, and the memory through which five of them get numbers. */
import type { Engine, Publishing } from '../../js/src/engine.js';
import { Shape } from './plain-object.js';

/** What the addon exports. */
export interface Addon extends Own, Omit<Engine, 'isEnabled' | 'resolve' | 'holds' | 'fields' | 'publish' | 'publishLater'> {
  /** With a mapping that is not empty the bytes are rows that it reads. */
  publish(flags: number, bytes: Uint8Array, mapping: string, strict: boolean, acceptOlder: boolean): string;
  publishLater(flags: number, bytes: Uint8Array, mapping: string, strict: boolean, acceptOlder: boolean): Promise<string>;
  /** Shares these words with the five functions that follow. */
  memory(words: Uint32Array): void;
  /** Reads flags, slot and context from the memory, and writes 1 or 0. */
  isEnabled(): void;
  /** Reads flags, slot, context and time from the memory, and writes the number of the outcome. */
  resolve(): void;
  /** Reads flags and those that hold a set from the memory, and writes 1 or 0. */
  holds(): void;
  /** Reads the shape of an object from the memory, and writes whether it is now the context under `SCRATCH`: 1 or 0. */
  fields(texts: string): void;
  /** Counts an outcome: reads flags, event, context, duration and whether it is an error from the memory. */
  track(): void;
}

/** What the addon has besides an engine. */
interface Own {
  /** The number by which other threads of this process find the flags. */
  share(flags: number): number;
  /** The flags that another thread shares, or -1 if no thread holds them any more. */
  attach(shared: number): number;
  /** Watches the flags from now on, in every thread that holds them. */
  guard(flags: number): boolean;
  /** Whether any thread watches the flags. */
  isGuarded(flags: number): boolean;
  /** A slot for an event; each call gives a new one. */
  event(flags: number, event: string): number;
  /** Frees all slots of events. */
  forgetEvents(flags: number): void;
  /** Counts an outcome that a browser reports; `NaN` if it is not known how long it took. */
  trackFromBrowser(flags: number, event: string, context: number, isError: boolean, durationMs: number): void;
  /** Counts an outcome of an event that cannot be used. */
  dropOutcome(flags: number, event: string): void;
  /** Whether the guard of a flag names this event. */
  watches(flags: number, event: string): boolean;
  /** Judges what was counted, if no thread has for this time: the JSON `{"tripped": [{"flag", "metric"}…], "reports"}` of the flags that it switched off. */
  judge(flags: number, afterMs: number): string;
  /** How the guards are, as JSON; empty if nothing watches the flags. */
  guards(flags: number): string;
  /** Takes the trips of a document: the JSON `{"problem", "reports"}`. */
  takeTrips(flags: number, document: string): string;
  /** A document of the trips of a document and of those that the flags have beyond them; empty if they have none. */
  moreTrips(flags: number, known: string): string;
}

/** An engine whose flags several threads can hold, and guards watch. */
export interface NativeEngine extends Engine, Own {
  /** Counts an outcome of an event, which is a slot, for a context; the duration is `NaN` if it is not known. */
  track(flags: number, event: number, context: number, isError: number, durationMs: number): void;
}

/** Words of the shared memory; the time takes the two after them. `raw.rs` has the same order. */
const [FLAGS, SLOT, CONTEXT, ANSWER] = [0, 1, 2, 3] as const;
const NOW_AT_BYTE = 16;
/** The shape of a plain object begins here. */
const SHAPE = 6;
/** The last word, after the shape. */
const ERROR = 127;
const WORDS = 128;

/** The addon as an engine. */
export function nativeEngine(addon: Addon): NativeEngine {
  const words = new Uint32Array(WORDS);
  const now = new Float64Array(words.buffer, NOW_AT_BYTE, 1);
  const shape = new Shape(words.subarray(SHAPE, ERROR));
  addon.memory(words);
  return {
    ...addon,
    publish(flags, bytes, options) {
      return addon.publish(flags, bytes, ...given(options));
    },
    publishLater(flags, bytes, options) {
      return addon.publishLater(flags, bytes, ...given(options));
    },
    isEnabled(flags, slot, context) {
      words[FLAGS] = flags;
      words[SLOT] = slot;
      words[CONTEXT] = context;
      addon.isEnabled();
      return words[ANSWER] === 1;
    },
    holds(flags, held) {
      words[FLAGS] = flags;
      words[SLOT] = held;
      addon.holds();
      return words[ANSWER] === 1;
    },
    fields(plain) {
      const text = shape.textOf(plain);
      if (text === undefined) {
        return false;
      }
      addon.fields(text);
      return words[ANSWER] === 1;
    },
    track(flags, event, context, isError, durationMs) {
      words[FLAGS] = flags;
      words[SLOT] = event;
      words[CONTEXT] = context;
      words[ERROR] = isError;
      now[0] = durationMs;
      addon.track();
    },
    resolve(flags, slot, context, time) {
      words[FLAGS] = flags;
      words[SLOT] = slot;
      words[CONTEXT] = context;
      now[0] = time;
      addon.resolve();
      return words[ANSWER] as number;
    },
  };
}

/** The addon's arguments for publishing. */
function given(options?: Publishing | null): [mapping: string, strict: boolean, acceptOlder: boolean] {
  const { mapping, strict, acceptOlder } = options ?? {};
  return [typeof mapping === 'string' ? mapping : '', strict === true, acceptOlder === true];
}
