/** Esclusa in WebAssembly: `await init()` once, then the same classes as in Node. */
import start, * as glue from 'esclusa:glue';

import { engine, install } from '../../js/src/engine.js';
import { wasmEngine } from '../../js/src/wasm-engine.js';

export { Context } from '../../js/src/context.js';
export { type Caller, Flags, type Moment } from '../../js/src/flags.js';
export type { Snapshot } from '../../js/src/publication.js';
export { SnapshotError } from '../../js/src/snapshot-error.js';
export type * from '../../js/src/types.js';

/** The module, its bytes, the response that brings it, or where it is fetched from. */
export type Module = WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Response | URL | string;

let starting: Promise<void> | undefined;

/**
 * Loads the WebAssembly; answers are defaults until something is published after that.
 *
 * Without an argument the module is fetched from where the package has it. An edge runtime that does not fetch its own
 * files gives the compiled module, its bytes or a response. Calling it again waits for the same module.
 */
export default function init(module?: Module | Promise<Module>): Promise<void> {
  if (engine() !== undefined) {
    return Promise.resolve();
  }
  starting ??= load(module).catch((problem: unknown) => {
    // The next call tries again.
    starting = undefined;
    throw problem;
  });
  return starting;
}

async function load(module?: Module | Promise<Module>): Promise<void> {
  install(wasmEngine(glue, await start({ module_or_path: module ?? new URL('./esclusa.wasm', import.meta.url) })));
}

/** The same at once, from a compiled module or its bytes. */
export function initSync(module: WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
  if (engine() === undefined) {
    install(wasmEngine(glue, glue.initSync({ module })));
  }
}
