/** The native engine: the addon's functions, and the memory through which four of them get numbers. */
import type { Engine, Publishing } from '../../js/src/engine.js';
import { Shape } from './plain-object.js';

/** What the addon exports. */
export interface Addon extends Omit<Engine, 'isEnabled' | 'resolve' | 'holds' | 'fields' | 'publish' | 'publishLater'> {
  /** With a mapping that is not empty the bytes are rows that it reads. */
  publish(flags: number, bytes: Uint8Array, mapping: string, strict: boolean, acceptOlder: boolean): string;
  publishLater(flags: number, bytes: Uint8Array, mapping: string, strict: boolean, acceptOlder: boolean): Promise<string>;
  /** Shares these words with the four functions that follow. */
  memory(words: Uint32Array): void;
  /** Reads flags, slot and context from the memory, and writes 1 or 0. */
  isEnabled(): void;
  /** Reads flags, slot, context and time from the memory, and writes the number of the outcome. */
  resolve(): void;
  /** Reads flags and those that hold a set from the memory, and writes 1 or 0. */
  holds(): void;
  /** Reads the shape of an object from the memory, and writes whether it is now the context under `SCRATCH`: 1 or 0. */
  fields(texts: string): void;
  /** The number by which other threads of this process find the flags. */
  share(flags: number): number;
  /** The flags that another thread shares, or -1 if no thread holds them any more. */
  attach(shared: number): number;
}

/** An engine whose flags several threads can hold. */
export interface NativeEngine extends Engine {
  share(flags: number): number;
  attach(shared: number): number;
}

/** Words of the shared memory; the time takes the two after them. `raw.rs` has the same order. */
const [FLAGS, SLOT, CONTEXT, ANSWER] = [0, 1, 2, 3] as const;
const NOW_AT_BYTE = 16;
/** The shape of a plain object begins here. */
const SHAPE = 6;
const WORDS = 128;

/** The addon as an engine. */
export function nativeEngine(addon: Addon): NativeEngine {
  const words = new Uint32Array(WORDS);
  const now = new Float64Array(words.buffer, NOW_AT_BYTE, 1);
  const shape = new Shape(words.subarray(SHAPE));
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
