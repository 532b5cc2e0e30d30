/** The input and output of publishing: bytes, a report, a refusal. */
import { type Rows, isRows, rowsText } from './rows.js';
import { SnapshotError } from './snapshot-error.js';
import type { Notice, Reading, Report, SetAside, Violation } from './types.js';

/** A snapshot: its JSON as text or as bytes in UTF-8, or rows or a document as objects. */
export type Snapshot = string | Uint8Array | ArrayBuffer | Rows;

interface WireReport {
  outcome: Report['outcome'];
  revision: number | null;
  added: string[];
  removed: string[];
  changed: string[];
  set_aside: SetAside[];
  violations: Violation[];
  reading: WireReading;
}

interface WireReading {
  rows: number;
  flags: number;
  columns: {
    column: string;
    read_as: string | null;
    why?: string;
    rows: number;
    not_empty: number;
    withheld?: number;
    kinds?: string[];
  }[];
  notices: Notice[];
  fingerprint: string;
  mapping: string | null;
  rows_left_out: Reading['rowsLeftOut'];
}

/**
 * The bytes of a snapshot. Text and rows are encoded into new bytes; bytes are the caller's own, except shared memory,
 * which is copied because other threads may write to it.
 */
export function bytesOf(snapshot: Snapshot): Uint8Array {
  if (typeof snapshot === 'string') {
    return new TextEncoder().encode(snapshot);
  }
  const bytes = viewOf(snapshot);
  if (bytes === undefined) {
    if (isRows(snapshot)) {
      return new TextEncoder().encode(rowsText(snapshot));
    }
    throw new TypeError(`the snapshot is ${kindOf(snapshot)}, expected its JSON as text or bytes, rows, or a document with \`flags\``);
  }
  return kindOf(bytes.buffer) === 'a SharedArrayBuffer' ? new Uint8Array(bytes) : bytes;
}

/** Bytes of any realm, such as those of test runners, as bytes of this one; undefined for any other value. */
export function viewOf(given: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(given)) {
    return new Uint8Array(given.buffer as ArrayBuffer, given.byteOffset, given.byteLength);
  }
  return kindOf(given) === 'an ArrayBuffer' ? new Uint8Array(given as ArrayBuffer) : undefined;
}

/** The kind of a value, for a message: `undefined`, `null`, `a number`, `an ArrayBuffer`. */
export function kindOf(given: unknown): string {
  if (given === undefined || given === null) {
    return String(given);
  }
  const kind = typeof given === 'object' ? Object.prototype.toString.call(given).slice('[object '.length, -1) : typeof given;
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** The report from the engine's JSON [9.6]; throws a refusal. */
export function reportFrom(said: string): Report {
  if (said === '') {
    throw new Error('nothing was published: the flags were freed meanwhile');
  }
  const wire = JSON.parse(said) as WireReport | { refused: string; code: string; violations: Violation[] };
  if ('refused' in wire) {
    throw new SnapshotError(wire.refused, wire.violations, wire.code);
  }
  const { set_aside: setAside, reading, ...rest } = wire;
  return { ...rest, setAside, reading: readingFrom(reading) };
}

function readingFrom({ columns, rows_left_out: rowsLeftOut, ...rest }: WireReading): Reading {
  const read = columns.map(({ column, read_as: readAs, why = null, rows, not_empty: notEmpty, withheld = 0, kinds = [] }) => {
    return { column, readAs, why, rows, notEmpty, withheld, kinds };
  });
  return { ...rest, columns: read, rowsLeftOut };
}
