/** What goes into publishing and what comes out: bytes, a report, a refusal. */
import { SnapshotError } from './snapshot-error.js';
import type { Report, SetAside, Violation } from './types.js';

/** A snapshot: its JSON as text, or as bytes in UTF-8. */
export type Snapshot = string | Uint8Array | ArrayBuffer;

interface WireReport {
  outcome: Report['outcome'];
  revision: number | null;
  added: string[];
  removed: string[];
  changed: string[];
  set_aside: SetAside[];
  violations: Violation[];
}

/**
 * The bytes of a snapshot. Text is copied by encoding it; bytes are the caller's own, unless other threads may write to
 * them while they are read.
 */
export function bytesOf(snapshot: Snapshot): Uint8Array {
  if (typeof snapshot === 'string') {
    return new TextEncoder().encode(snapshot);
  }
  if (snapshot instanceof Uint8Array) {
    return Object.prototype.toString.call(snapshot.buffer) === '[object SharedArrayBuffer]' ? new Uint8Array(snapshot) : snapshot;
  }
  if (snapshot instanceof ArrayBuffer) {
    return new Uint8Array(snapshot);
  }
  throw new TypeError(`the snapshot is a ${typeof snapshot}, expected its JSON as text or bytes`);
}

/** The report that the engine gave as JSON [9.6]; a refusal is thrown. */
export function reportFrom(said: string): Report {
  if (said === '') {
    throw new Error('nothing was published: the flags were freed meanwhile');
  }
  const wire = JSON.parse(said) as WireReport | { refused: string; violations: Violation[] };
  if ('refused' in wire) {
    throw new SnapshotError(wire.refused, wire.violations);
  }
  const { set_aside: setAside, ...rest } = wire;
  return { ...rest, setAside };
}
