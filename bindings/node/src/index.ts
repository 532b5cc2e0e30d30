/** Esclusa for Node. */
export { Context } from '../../js/src/context.js';
export type { Caller, Moment } from '../../js/src/flags.js';
export type { Snapshot } from '../../js/src/publication.js';
export { SnapshotError } from '../../js/src/snapshot-error.js';
export type * from '../../js/src/types.js';
export { engine, Flags, type SharedFlags } from './flags.js';
