/** What a change does to a flag, in words: each field with its old and new value. */
import { type Row, read } from '../flag/row.ts';
import { useWords, type Words } from '../language/language.tsx';

const MOMENTS = /(_at|_date|At|Date)$/;

/** The name of a column, in the words of the page if it has some. */
export function nameOf(column: string, { t, has }: Words): string {
  const message = `field.${column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  return has(message) ? t(message) : column;
}

export function valueIn(column: string, given: unknown, { t, list, number, percent, moment }: Words): string {
  const value = read(given);
  if (value === null || value === undefined || value === '') {
    return t('value.none');
  }
  if (/enabled|client/.test(column)) {
    return t(value === true || value === 1 || value === 'true' ? 'yes' : 'no');
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? t('value.none') : value.every((item) => typeof item === 'string') ? list(value) : JSON.stringify(value);
  }
  if (typeof value === 'number') {
    return /percentage$/i.test(column) ? percent(value) : number(value);
  }
  if (typeof value === 'string') {
    return MOMENTS.test(column) && !Number.isNaN(Date.parse(value)) ? moment(value) : value;
  }
  return JSON.stringify(value);
}

export function Changes({ before, after }: { before: Row | null; after: Row | null }) {
  const words = useWords();
  const { t } = words;
  const columns = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return (
    <dl className="changes">
      {columns.map((column) => (
        <div key={column}>
          <dt>{nameOf(column, words)}</dt>
          <dd>
            {before !== null && (
              <del>
                <span className="away">{t('before')}: </span>
                {valueIn(column, before[column], words)}
              </del>
            )}
            {before !== null && after !== null && <span aria-hidden="true"> → </span>}
            {after !== null && (
              <ins>
                <span className="away">{t('after')}: </span>
                {valueIn(column, after[column], words)}
              </ins>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
