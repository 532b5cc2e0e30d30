/** Tables by name, for a mapping that reads more than one: the flags, and the rows about callers beside them. */
import type { Snapshot } from './publication.js';
import { rowsText } from './rows.js';

/** Tables of rows by their names, as objects. */
export interface Bundle {
  readonly tables: { readonly [table: string]: readonly object[] };
  readonly [field: string]: unknown;
}

/** A snapshot unchanged, or the JSON of tables. */
export function rowsOf(given: Snapshot | Bundle): Snapshot {
  if (!isBundle(given)) {
    return given;
  }
  const { tables, ...rest } = given;
  const texts = Object.entries(tables).map(([name, rows]) => `${JSON.stringify(name)}:${rowsText(rows)}`);
  const fields = Object.entries(rest).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? 'null'}`);
  return `{${[...fields, `"tables":{${texts.join()}}`].join()}}`;
}

/** Whether an object holds tables, each a list of rows; other errors are reported by publishing. */
export function isBundle(given: unknown): given is Bundle {
  const { tables } = (given ?? {}) as { tables?: unknown };
  return typeof tables === 'object' && tables !== null && Object.values(tables).every(Array.isArray);
}
