/** Errors for functions that an engine does not have. */
import { engine } from '../engine.js';

/** @throws Error always: before the WebAssembly is loaded, and in builds that leave something out. */
export function missing(what: string): never {
  throw new Error(
    engine() === undefined
      ? 'the WebAssembly is not loaded, expected `await init()` before anything is kept fresh'
      : `this build leaves \`${what}\` out, expected @esclusa/wasm/full`,
  );
}
