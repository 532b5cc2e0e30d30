/** The engine in WebAssembly: it copies texts, passes the time, and restores the stack after an overflow. */
import { type Engine, NO_OUTCOME } from './engine.js';

/** The exports of `bindings/wasm/src/lib.rs`. Texts and bytes go in, and texts come out, by their length. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global<'i32'>;
  /** The address of a buffer for that many bytes, for the next call. */
  room(bytes: number): number;
  /** The address of the latest text that a call returned. */
  said(): number;
  open(): number;
  close(flags: number): void;
  publish(flags: number, snapshot: number, strict: boolean, acceptOlder: boolean): number;
  context(json: number): number;
  scratch(json: number): number;
  forget(context: number): void;
  slot(flags: number, key: number): number;
  /** Whether the flag is on at this time: 1 or 0. Without a time (`NaN`), `ASK_WITH_TIME` if the answer depends on it. */
  isEnabled(flags: number, slot: number, context: number, now: number): number;
  resolve(flags: number, slot: number, context: number, now: number): number;
  /** The number of the outcome if it was given before, or `NO_OUTCOME`; without a time as `isEnabled`. */
  known(flags: number, slot: number, context: number, now: number): number;
  takeOutcome(flags: number, outcome: number): number;
  keys(flags: number): number;
  about(flags: number): number;
  // Not in every module, like everything that follows.
  protocol(policy: number): number;
  step(protocol: number, event: number): number;
  isKnown(protocol: number, bytes: number): number;
  end(protocol: number): void;
  stream(): number;
  hasNews(stream: number, bytes: number): number;
  endStream(stream: number): void;
  resolveAll(flags: number, context: number, now: number): number;
  explain(flags: number, key: number, context: number, now: number): number;
  project(flags: number, keys: number, context: number, now: number): number;
  clientSnapshot(flags: number, keys: number, context: number, now: number): number;
  layered(bytes: number, snapshots: number): number;
  mapping(given: number): number;
  mapped(bytes: number, rows: number): number;
  publishMapped(flags: number, bytes: number, rows: number, strict: boolean, acceptOlder: boolean): number;
  switches(variables: number): number;
  hold(flags: number): number;
  holds(flags: number, held: number): number;
  decide(question: number): number;
}

/** A started module, and functions that copy texts and bytes in and out. */
interface Border {
  wasm: Exports;
  /** Copies a text in; returns its number of bytes. */
  text(text: string): number;
  /** The same for several byte arrays, one after the other. */
  bytes(...rows: Uint8Array[]): number;
  /** Copies a text out. */
  said(length: number): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function border(wasm: Exports): Border {
  // When the memory grows, its buffer is replaced.
  const memory = (at: number, length?: number): Uint8Array => new Uint8Array(wasm.memory.buffer, at, length);
  return {
    wasm,
    // A code unit of UTF-16 has at most three bytes in UTF-8.
    text: (text) => encoder.encodeInto(text, memory(wasm.room(3 * text.length))).written,
    bytes(...rows) {
      const length = rows.reduce((sum, row) => sum + row.length, 0);
      const room = memory(wasm.room(length));
      rows.reduce((at, row) => (room.set(row, at), at + row.length), 0);
      return length;
    },
    said: (length) => decoder.decode(memory(wasm.said(), length)),
  };
}

const ASK_WITH_TIME = 0xffff_fffe;

let isAsked = false;

/** The time; `NaN` if an app's own `Date.now` evaluates a flag whose answer depends on the time. */
function clock(): number {
  if (isAsked) {
    return Number.NaN;
  }
  try {
    isAsked = true;
    return Date.now();
  } finally {
    isAsked = false;
  }
}

const timed = (now: number): number => (Number.isNaN(now) ? clock() : now);

/** That many words of JavaScript's stack. */
const words = (count: number): number[] => Array.from({ length: count }, () => 0);
/** More stack than a simple call takes; than a call with long JSON takes; and than the deepest JSON takes. */
const [LITTLE, SOME, MUCH] = [words(768), words(2048), words(6144)] as const;
/** Contexts are read often, and probing for stack takes longer the more it is. */
const SHORT = 400;
const nothing = (): void => undefined;

/**
 * A call that finds enough stack, or throws before it begins. A stack overflow inside WebAssembly unwinds nothing, so a
 * call that was changing memory would leave it half changed.
 */
function roomy<Given extends unknown[], T>(call: (...given: Given) => T, room: number[]): (...given: Given) => T {
  return (...given) => {
    Reflect.apply(nothing, undefined, room);
    return call(...given);
  };
}

/** The engine of a started module, with further functions in `more`. */
export function wasmEngine(instance: WebAssembly.Instance, more?: (border: Border) => Partial<Engine>): Engine {
  const own = border(instance.exports as unknown as Exports);
  const { wasm, text, bytes, said } = own;
  // Frequent calls change nothing, so a stack overflow in them is harmless, except for WebAssembly's own stack pointer,
  // which is restored.
  const { __stack_pointer: stack } = wasm;
  const start = stack.value;
  const resolve = roomy(wasm.resolve, SOME);
  const [short, long] = [LITTLE, SOME].map((room) => ({
    context: roomy((json: string) => wasm.context(text(json)), room),
    scratch: roomy((json: string) => wasm.scratch(text(json)) === 1, room),
  })) as [Pick<Engine, 'context' | 'scratch'>, Pick<Engine, 'context' | 'scratch'>];
  return {
    open: roomy(wasm.open, SOME),
    close: roomy(wasm.close, SOME),
    publish: roomy((flags, snapshot, options) => said(wasm.publish(flags, bytes(snapshot), options?.strict === true, options?.acceptOlder === true)), MUCH),
    context: (json) => (json.length < SHORT ? short : long).context(json),
    scratch: (json) => (json.length < SHORT ? short : long).scratch(json),
    forget: roomy(wasm.forget, LITTLE),
    slot: roomy((flags, key) => wasm.slot(flags, text(key)), SOME),
    isEnabled(flags, slot, context) {
      try {
        const said = wasm.isEnabled(flags, slot, context, Number.NaN);
        // Every number above 1 asks for the time: WebAssembly's numbers are signed here, and the greatest is -2.
        return (said < 0 ? wasm.isEnabled(flags, slot, context, clock()) : said) === 1;
      } catch (problem) {
        stack.value = start;
        throw problem;
      }
    },
    resolve(flags, slot, context, now) {
      try {
        const known = wasm.known(flags, slot, context, now) >>> 0;
        if (known < ASK_WITH_TIME) {
          return known;
        }
        const time = timed(now);
        if (Number.isNaN(time)) {
          return NO_OUTCOME;
        }
        const then = known === ASK_WITH_TIME ? wasm.known(flags, slot, context, time) >>> 0 : known;
        return then === NO_OUTCOME ? resolve(flags, slot, context, time) >>> 0 : then;
      } catch (problem) {
        stack.value = start;
        throw problem;
      }
    },
    takeOutcome: roomy((flags, outcome) => said(wasm.takeOutcome(flags, outcome)), MUCH),
    time: timed,
    keys: roomy((flags) => said(wasm.keys(flags)), SOME),
    about: roomy((flags) => said(wasm.about(flags)), SOME),
    ...more?.(own),
  };
}

/** The functions for staying fresh, of a module that has them. */
export function protocols({ wasm, text, bytes, said }: Border): Partial<Engine> {
  return {
    protocol: roomy((policy) => wasm.protocol(text(policy)), SOME),
    step: roomy((protocol, event) => said(wasm.step(protocol, text(event))), SOME),
    isKnown: roomy((protocol, given) => wasm.isKnown(protocol, bytes(given)) === 1, LITTLE),
    end: roomy(wasm.end, LITTLE),
    stream: roomy(wasm.stream, LITTLE),
    hasNews: roomy((stream, given) => wasm.hasNews(stream, bytes(given)) === 1, LITTLE),
    endStream: roomy(wasm.endStream, LITTLE),
    decide: roomy((question) => said(wasm.decide(text(question))), MUCH),
  };
}

/** The functions of the full module. */
export function everything(border: Border): Partial<Engine> & Pick<Engine, 'publish'> {
  const { wasm, text, bytes, said } = border;
  const behind = (rows: Uint8Array, given: string): number => bytes(rows, encoder.encode(given));
  return {
    ...protocols(border),
    publish: roomy((flags, given, options) => {
      const [strict, acceptOlder] = [options?.strict === true, options?.acceptOlder === true];
      return said(
        typeof options?.mapping === 'string'
          ? wasm.publishMapped(flags, behind(given, options.mapping), given.length, strict, acceptOlder)
          : wasm.publish(flags, bytes(given), strict, acceptOlder),
      );
    }, MUCH),
    mapping: roomy((given) => said(wasm.mapping(text(given))), MUCH),
    mapped: roomy((rows, mapping) => said(wasm.mapped(behind(rows, mapping), rows.length)), MUCH),
    resolveAll: roomy((flags, context, now) => said(wasm.resolveAll(flags, context, timed(now))), MUCH),
    explain: roomy((flags, key, context, now) => said(wasm.explain(flags, text(key), context, timed(now))), MUCH),
    project: roomy((flags, keys, context, now) => said(wasm.project(flags, text(keys), context, timed(now))), MUCH),
    clientSnapshot: roomy((flags, keys, context, now) => said(wasm.clientSnapshot(flags, text(keys), context, timed(now))), MUCH),
    layered: roomy((snapshots, lengths) => said(wasm.layered(behind(snapshots, lengths), snapshots.length)), MUCH),
    switches: roomy((variables) => said(wasm.switches(text(variables))), SOME),
    hold: roomy(wasm.hold, SOME),
    holds: roomy((flags, held) => wasm.holds(flags, held) === 1, LITTLE),
  };
}
