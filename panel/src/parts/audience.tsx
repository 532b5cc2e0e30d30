/** Who a flag is for, in one line of words. */
import { listOf, type Row, shareOf, TARGETS } from '../flag/row.ts';
import { useWords, type Words } from '../language/language.tsx';

/** More values than that are counted. */
const NAMED = 3;

export function audience(row: Row, { t, list, number, percent }: Words): string {
  const lists = TARGETS.flatMap((target) => {
    const values = listOf(row, target);
    const named = values.length > NAMED ? t('and-more', { values: values.slice(0, NAMED).join(', '), more: number(values.length - NAMED) }) : list(values);
    return values.length === 0 ? [] : [t(`audience.${target}`, { values: named })];
  });
  const share = shareOf(row);
  const of = lists.length === 0 ? t('audience.all') : lists.join(' · ');
  return share === null || share === 100 ? of : `${percent(share)} · ${of}`;
}

export function Audience({ row }: { row: Row }) {
  return <>{audience(row, useWords())}</>;
}
