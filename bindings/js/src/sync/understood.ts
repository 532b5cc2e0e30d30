/** The block of the log about what was understood of a snapshot [11.24]. */
import type { Reading } from '../types.js';
import { decide } from './decide.js';

/** One block of text for the log; a warning if a column withholds flags. */
export function understood(source: string, { columns, rowsLeftOut, ...rest }: Reading): { text: string; isWarning: boolean } {
  const spelled = columns.map(({ readAs, notEmpty, ...column }) => ({ ...column, read_as: readAs, not_empty: notEmpty }));
  const block = decide({ decide: 'understood', source, reading: { ...rest, columns: spelled, rows_left_out: rowsLeftOut } });
  const { text, is_warning: isWarning } = block as { text: string; is_warning: boolean };
  return { text, isWarning };
}
