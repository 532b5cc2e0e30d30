/** Snapshots as bytes, however a source gives them. */
import { type Snapshot, bytesOf } from '../publication.js';

/** A snapshot as bytes; undefined for what is none. */
export function snapshotBytes(given: unknown): Uint8Array | undefined {
  if (typeof given === 'string' || given instanceof Uint8Array || given instanceof ArrayBuffer) {
    return bytesOf(given as Snapshot);
  }
  // A buffer of another realm, as test runners have them, is one too.
  if (ArrayBuffer.isView(given)) {
    return bytesOf(new Uint8Array(given.buffer as ArrayBuffer, given.byteOffset, given.byteLength));
  }
  return Object.prototype.toString.call(given) === '[object ArrayBuffer]' ? new Uint8Array(given as ArrayBuffer) : undefined;
}

/** Whether two snapshots are the same, byte for byte. */
export function areSame(one: Uint8Array, other: Uint8Array): boolean {
  let at = one.length === other.length ? 0 : -1;
  // A function for each byte would take its time over megabytes.
  while (at >= 0 && at < one.length && one[at] === other[at]) {
    at += 1;
  }
  return at === one.length;
}
