/** The engine in WebAssembly, for machines without an addon. */
// The build puts the module here as text: a bundle has no file next to it.
import module from 'esclusa.wasm';

import type { Engine } from '../../js/src/engine.js';
import { everything, wasmEngine } from '../../js/src/wasm-engine.js';

/** Compiles and starts the module. */
export function start(): Engine {
  return wasmEngine(new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(module, 'base64'))), everything);
}
