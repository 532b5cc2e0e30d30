/** Esclusa for Node. */
export { Context } from '../../js/src/context.js';
export type { Caller, Moment } from '../../js/src/flags.js';
export type { HeldSet as FlagSet } from '../../js/src/held.js';
export { type MappedBy, MappingError, type Parameters, type Stored } from '../../js/src/mapping.js';
export type { Snapshot } from '../../js/src/publication.js';
export { SnapshotError } from '../../js/src/snapshot-error.js';
export type * from '../../js/src/types.js';
export type { Variables } from '../../js/src/sync/environment.js';
export * from '../../js/src/sync/index.js';
export { layers } from '../../js/src/sync/layers.js';
export type { Bundle } from '../../js/src/tables.js';
export { engine, Flags, type SharedFlags, type SourceOptions } from './flags.js';
export { type MappedOptions, Mapping, type MappingLike } from './mapping.js';
export { environment } from './sources/environment.js';
export { file } from './sources/file.js';
export { http } from './sources/http.js';
export { mapped } from './sources/mapped.js';
export { cached } from './sources/cached.js';
