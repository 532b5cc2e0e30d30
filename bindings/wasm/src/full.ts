/** Everything: rules, explanations, client snapshots, and keeping fresh from several sources. */
import { withMappings } from '../../js/src/mapping.js';
import { everything } from '../../js/src/wasm-engine.js';
import { type Module, load, loadNow } from './loading.js';

export { Context } from '../../js/src/context.js';
export type { Caller, Moment } from '../../js/src/flags.js';
export { type HeldSet as FlagSet, Flags } from '../../js/src/held.js';
export { type MappedBy, type MappedOptions, Mapping, MappingError, type MappingLike, type Parameters, type Stored } from '../../js/src/mapping.js';
export type { Snapshot } from '../../js/src/publication.js';
export { SnapshotError } from '../../js/src/snapshot-error.js';
export type * from '../../js/src/types.js';
export type { Module } from './loading.js';
export { environment, type Variables } from '../../js/src/sync/environment.js';
export { http } from '../../js/src/sync/http.js';
export * from '../../js/src/sync/index.js';
export { layers } from '../../js/src/sync/layers.js';
export { mapped } from '../../js/src/sync/mapped.js';
export { sync } from '../../js/src/sync/sync.js';
export type { Bundle } from '../../js/src/tables.js';

const more = (border: Parameters<typeof everything>[0]): ReturnType<typeof everything> => withMappings(everything(border));

/**
 * Loads the WebAssembly; answers are defaults until the first publish after that.
 *
 * Without an argument the module is fetched from the package. An edge runtime that cannot fetch its own files passes
 * the compiled module, its bytes or a response. A second call waits for the same module.
 */
export default function init(module?: Module | Promise<Module>): Promise<void> {
  return load(more, module);
}

/** The same at once, from a compiled module or its bytes. */
export function initSync(module: WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
  loadNow(more, module);
}
