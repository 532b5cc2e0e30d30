/** Features by plan: each cell is what the engine answers to the people of the plan. */
import { useMemo } from 'react';
import { Link } from 'wouter';
import { useFlags } from '../api/flags.ts';
import { hasEngine, useMatrix, useSample } from '../engine/engine.ts';
import type { Question } from '../engine/worker.ts';
import { useWords } from '../language/language.tsx';
import { addressOf, useAddress } from '../parts/address.ts';
import { Choice } from '../parts/choice.tsx';
import { Note } from '../parts/note.tsx';
import { Refused } from '../parts/refusal.tsx';

/** More columns than that are no table for people. */
const COLUMNS = 12;

export function Plans() {
  const { t, number, percent } = useWords();
  const [query, change] = useAddress();
  const attribute = query.get('by') ?? 'plan';
  const flags = useFlags();
  const { people, isMadeUp } = useSample();
  const text = JSON.stringify((flags.data ?? []).map(({ flag }) => flag));
  const question = useMemo((): Question => ({ kind: 'matrix', rows: JSON.parse(text), attribute }), [text, attribute]);
  const cells = useMatrix(question, people);
  const keys = Object.keys(cells ?? {}).sort();
  const columns = [...new Set(keys.flatMap((key) => (cells?.[key] ?? []).map(({ of }) => of)))].sort().slice(0, COLUMNS);
  return (
    <div className="stack screen">
      <h1>{t('plans')}</h1>
      <p>{t('plans.about')}</p>
      <Refused problem={flags.error} />
      {!hasEngine && <Note kind="info">{t('preview.no-engine')}</Note>}
      <div className="filters">
        <Choice label={t('plans.by')} value={attribute} options={(['plan', 'role', 'region', 'company'] as const).map((id) => ({ id, text: t(id) }))} choose={(by) => change({ by: by === 'plan' ? '' : by })} />
      </div>
      <p className="small faint">{t(isMadeUp ? 'preview.made-up' : 'preview.sample', { people: number(people.length) })}</p>
      <div className="scroll card" tabIndex={0} role="region" aria-label={t('plans')}>
        <table className="matrix">
          <thead>
            <tr>
              <th scope="col">{t('flag.key')}</th>
              {columns.map((of) => (
                <th key={of} scope="col">
                  {of}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key}>
                <th scope="row">
                  <Link href={addressOf(key)}>
                    <code>{key}</code>
                  </Link>
                </th>
                {columns.map((of) => {
                  const cell = cells?.[key]?.find((cell) => cell.of === of);
                  const share = cell === undefined || cell.people === 0 ? 0 : cell.on / cell.people;
                  return (
                    <td key={of} className={share === 1 ? 'cell-on' : share === 0 ? 'cell-off' : 'cell-some'}>
                      {share === 1 ? `● ${t('plans.on')}` : share === 0 ? `○ ${t('plans.off')}` : `◐ ${percent(Math.round(share * 1_000) / 10)}`}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
