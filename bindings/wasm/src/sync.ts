/** The same small build, with the protocol of staying fresh. */
import { build } from '../../js/src/engine.js';
import { protocols } from '../../js/src/wasm-engine.js';
import { type Module, load, loadNow } from './loading.js';

export { Context } from '../../js/src/context.js';
export { type Caller, Flags, type Moment } from '../../js/src/flags.js';
export type { Snapshot } from '../../js/src/publication.js';
export { SnapshotError } from '../../js/src/snapshot-error.js';
export type * from '../../js/src/types.js';
export type { Module } from './loading.js';
export { http } from '../../js/src/sync/http.js';
export * from '../../js/src/sync/index.js';
export { sync } from '../../js/src/sync/sync.js';

build.clientSnapshots = false;

/**
 * Loads the WebAssembly; answers are defaults until the first publish after that.
 *
 * Without an argument the module is fetched from the package. An edge runtime that cannot fetch its own files passes
 * the compiled module, its bytes or a response. A second call waits for the same module.
 */
export default function init(module?: Module | Promise<Module>): Promise<void> {
  return load(protocols, module);
}

/** The same at once, from a compiled module or its bytes. */
export function initSync(module: WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
  loadNow(protocols, module);
}
