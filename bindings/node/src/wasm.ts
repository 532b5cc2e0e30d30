/** The engine in WebAssembly, for machines that there is no addon for. */
// The build puts the module here as text: in a bundle there is no file beside this one.
import module from 'esclusa.wasm';

import type { Engine } from '../../js/src/engine.js';
import { everything, wasmEngine } from '../../js/src/wasm-engine.js';

/** Compiles and starts the module. */
export function start(): Engine {
  return wasmEngine(new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(module, 'base64'))), everything);
}
