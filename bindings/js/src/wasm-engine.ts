/** The engine in WebAssembly: the glue that wasm-bindgen makes, with the time, and with a stack that is put back. */
import { type Engine, NO_OUTCOME } from './engine.js';

/** What wasm-bindgen makes of the Rust half. It has no clock: every time is given. */
export interface Glue extends Omit<Engine, 'isEnabled' | 'publishLater' | 'layeredLater'> {
  /** Whether the flag is on at this time: 1 or 0. Without a time (`NaN`), 2 if the answer depends on it. */
  isEnabled(flags: number, slot: number, context: number, now: number): number;
  /** The number of the outcome if it was given before, or `NO_OUTCOME`. */
  known(flags: number, slot: number, context: number, now: number): number;
}

/** What the module itself exports. */
export interface Exports {
  readonly __stack_pointer: WebAssembly.Global<'i32'>;
}

const ASK_WITH_TIME = 2;

let isAsked = false;

/** The time; `NaN` for an app's own `Date.now` that asks for a flag whose answer depends on the time. */
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

/** As many words of JavaScript's stack. */
const words = (count: number): number[] => Array.from({ length: count }, () => 0);
/** More than a call takes; than one takes that reads or writes long JSON; and than the deepest JSON takes. */
const [LITTLE, SOME, MUCH] = [words(768), words(2048), words(6144)] as const;
/** Contexts are read often, and finding stack takes longer the more it is. */
const SHORT = 400;
const nothing = (): void => undefined;

/**
 * A call that finds enough stack, or throws before it begins. Where the stack ends inside of WebAssembly nothing is
 * unwound, so a call that was changing memory would leave it half changed.
 */
function roomy<Given extends unknown[], T>(call: (...given: Given) => T, room: number[]): (...given: Given) => T {
  return (...given) => {
    Reflect.apply(nothing, undefined, room);
    return call(...given);
  };
}

/** The glue of a module that was started as an engine, and what it has more than others. */
export function wasmEngine(glue: Glue, { __stack_pointer: stack }: Exports, more: Partial<Engine> = {}): Engine {
  // What is asked thousands of times a second changes nothing, so it may be cut off, but for WebAssembly's own stack:
  // it is put back.
  const start = stack.value;
  const resolve = roomy(glue.resolve, SOME);
  const [short, long] = [LITTLE, SOME].map((room) => ({
    context: roomy(glue.context, room),
    scratch: roomy(glue.scratch, room),
  })) as [Pick<Engine, 'context' | 'scratch'>, Pick<Engine, 'context' | 'scratch'>];
  return {
    open: roomy(glue.open, SOME),
    close: roomy(glue.close, SOME),
    publish: roomy(glue.publish, MUCH),
    context: (json) => (json.length < SHORT ? short : long).context(json),
    scratch: (json) => (json.length < SHORT ? short : long).scratch(json),
    forget: roomy(glue.forget, LITTLE),
    slot: roomy(glue.slot, SOME),
    isEnabled(flags, slot, context) {
      try {
        const said = glue.isEnabled(flags, slot, context, Number.NaN);
        return (said === ASK_WITH_TIME ? glue.isEnabled(flags, slot, context, clock()) : said) === 1;
      } catch (problem) {
        stack.value = start;
        throw problem;
      }
    },
    resolve(flags, slot, context, now) {
      const time = timed(now);
      if (Number.isNaN(time)) {
        return NO_OUTCOME;
      }
      try {
        const known = glue.known(flags, slot, context, time);
        return known === NO_OUTCOME ? resolve(flags, slot, context, time) : known;
      } catch (problem) {
        stack.value = start;
        throw problem;
      }
    },
    told: roomy(glue.told, MUCH),
    resolveAll: roomy((flags, context, now) => glue.resolveAll(flags, context, timed(now)), MUCH),
    explain: roomy((flags, key, context, now) => glue.explain(flags, key, context, timed(now)), MUCH),
    project: roomy((flags, keys, context, now) => glue.project(flags, keys, context, timed(now)), MUCH),
    keys: roomy(glue.keys, SOME),
    about: roomy(glue.about, SOME),
    ...more,
  };
}

/** What it takes to keep fresh, of a module that has it. */
export function protocols(glue: Glue): Partial<Engine> {
  const { protocol, step, isKnown, end } = glue as Required<Glue>;
  return { protocol: roomy(protocol, SOME), step: roomy(step, SOME), isKnown: roomy(isKnown, LITTLE), end: roomy(end, LITTLE) };
}

/** What the full module has. */
export function everything(glue: Glue): Partial<Engine> {
  const { clientSnapshot, layered, switches } = glue as Required<Glue>;
  return {
    ...protocols(glue),
    clientSnapshot: roomy((flags, keys, context, now) => clientSnapshot(flags, keys, context, timed(now)), MUCH),
    layered: roomy(layered, MUCH),
    switches: roomy(switches, SOME),
  };
}
