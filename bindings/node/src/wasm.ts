/** The engine in WebAssembly, for machines that there is no addon for. */
import type { Engine } from '../../js/src/engine.js';
import { everything, wasmEngine } from '../../js/src/wasm-engine.js';

/** Compiles and starts the module from its bytes. */
export function start(module: BufferSource): Engine {
  return wasmEngine(new WebAssembly.Instance(new WebAssembly.Module(module)), everything);
}
