/** The engine in WebAssembly, for machines that there is no addon for. */
import * as glue from 'esclusa:glue';

import type { Engine } from '../../js/src/engine.js';

/** Compiles and starts the module from its bytes. */
export function wasmEngine(module: BufferSource): Engine {
  glue.initSync({ module });
  return glue;
}
