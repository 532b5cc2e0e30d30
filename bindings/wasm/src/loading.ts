/** Loading the WebAssembly, once. */
import start, * as glue from 'esclusa:glue';

import { type Engine, engine, install } from '../../js/src/engine.js';
import { type Glue, wasmEngine } from '../../js/src/wasm-engine.js';

/** The module, its bytes, the response that brings it, or where it is fetched from. */
export type Module = WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Response | URL | string;

/** What a build has more than the smallest. */
type More = (glue: Glue) => Partial<Engine>;

let starting: Promise<void> | undefined;

/** Calling it again waits for the same module. */
export function load(more: More | undefined, module?: Module | Promise<Module>): Promise<void> {
  if (engine() !== undefined) {
    return Promise.resolve();
  }
  starting ??= begin(more, module).catch((problem: unknown) => {
    // The next call tries again.
    starting = undefined;
    throw problem;
  });
  return starting;
}

async function begin(more: More | undefined, module?: Module | Promise<Module>): Promise<void> {
  const exports = await start({ module_or_path: module ?? new URL('./esclusa.wasm', import.meta.url) });
  install(wasmEngine(glue, exports, more?.(glue)));
}

/** The same at once, from a compiled module or its bytes. */
export function loadNow(more: More | undefined, module: WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
  if (engine() === undefined) {
    install(wasmEngine(glue, glue.initSync({ module }), more?.(glue)));
  }
}
