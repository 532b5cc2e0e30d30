/** Rows and documents as objects, as a database driver returns them, in the form of a snapshot. */
import { entriesOf, wellFormed, written } from './context-value.js';

/** Rows of a table of flags, or a document, with values of JSON, dates, bigints, sets and maps. */
export type Rows = readonly object[] | { readonly esclusa?: unknown; readonly flags: readonly object[] };

/** Whether these are rows or a document. */
export function isRows(given: unknown): given is Rows {
  return Array.isArray(given) || (typeof given === 'object' && given !== null && Object.hasOwn(given, 'flags'));
}

/**
 * The JSON of rows or a document: a date is its text in UTC, a bigint its digits, a set a list.
 *
 * A value that JSON does not have becomes a text that names it, such as `[function]`: without the value its flag would
 * be less restricted, and a refusal would block every other flag.
 */
export function rowsText(rows: Rows): string {
  return wellFormed(Array.isArray(rows) ? listText(rows) : fieldsText(rows, (name, value) => (isList(name, value) ? listText(value) : valueText(value))));
}

const isList = (name: string, value: unknown): value is unknown[] => (name === 'flags' || name === 'segments') && Array.isArray(value);

const listText = (rows: readonly unknown[]): string => `[${rows.map((row) => (isPlain(row) ? fieldsText(row, (_, value) => valueText(value)) : (valueText(row) ?? 'null'))).join()}]`;

/** Whether the fields of a row are its columns. */
const isPlain = (row: unknown): row is object => kindOf(row) === 'Object' && typeof (row as { toJSON?: unknown }).toJSON !== 'function';

function fieldsText(object: object, textOf: (name: string, value: unknown) => string | undefined): string {
  const fields = entriesOf(object).flatMap(([name, value]) => {
    const text = textOf(name, value);
    return text === undefined ? [] : `${JSON.stringify(name)}:${text}`;
  });
  return `{${fields.join()}}`;
}

function valueText(value: unknown): string | undefined {
  try {
    const { text, lost } = written(value, []);
    return lost === undefined ? text : JSON.stringify(`[${typeof lost.value === 'number' ? lost.value : kindOf(lost.value)}]`);
  } catch {
    // It refers to itself, is nested too deep, or reading it failed.
    return '"[unreadable]"';
  }
}

const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
