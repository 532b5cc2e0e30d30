/** Esclusa for Node. */
export { Context } from '../../js/src/context.js';
export type { Caller, Moment } from '../../js/src/flags.js';
export type { HeldSet as FlagSet } from '../../js/src/held.js';
export type { Snapshot } from '../../js/src/publication.js';
export { SnapshotError } from '../../js/src/snapshot-error.js';
export type * from '../../js/src/types.js';
export type { Variables } from '../../js/src/sync/environment.js';
export * from '../../js/src/sync/index.js';
export { layers } from '../../js/src/sync/layers.js';
export { engine, Flags, type SharedFlags } from './flags.js';
export { environment } from './sources/environment.js';
export { file } from './sources/file.js';
export { http } from './sources/http.js';
export { saved } from './sources/saved.js';
