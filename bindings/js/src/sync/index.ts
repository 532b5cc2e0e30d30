/** Keeping fresh: the exports of every package. */
export { bundled } from './bundled.js';
export { type HttpOptions } from './http.js';
export type { Logger } from './log.js';
export type { SyncOptions } from './policy.js';
export { type Answer, Failure, type Fetch, NOT_MODIFIED, type News, type NotModified, type Request, type Source, type Stop } from './source.js';
export type { State, Status } from './status.js';
export { Sync } from './sync.js';
