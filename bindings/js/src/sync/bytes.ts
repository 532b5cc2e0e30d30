/** Snapshots as bytes, in any form that a source gives. */
import { type Snapshot, bytesOf, viewOf } from '../publication.js';
import { isRows } from '../rows.js';
import { isBundle, rowsOf } from '../tables.js';

/** A snapshot as bytes; undefined for any other value. */
export function snapshotBytes(given: unknown): Uint8Array | undefined {
  if (isBundle(given)) {
    return bytesOf(rowsOf(given));
  }
  return typeof given === 'string' || viewOf(given) !== undefined || isRows(given) ? bytesOf(given as Snapshot) : undefined;
}

/** Whether two snapshots are the same, byte for byte. */
export function areSame(one: Uint8Array, other: Uint8Array): boolean {
  let at = one.length === other.length ? 0 : -1;
  // A callback for each byte would be slow over megabytes.
  while (at >= 0 && at < one.length && one[at] === other[at]) {
    at += 1;
  }
  return at === one.length;
}
