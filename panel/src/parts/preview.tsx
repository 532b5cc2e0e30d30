/** Who has a flag now and with the draft: counted by the engine in this page, while a control moves. */
import { useMemo } from 'react';
import type { Counted, Tally } from '../engine/census.ts';
import { hasEngine, useCount, useSample } from '../engine/engine.ts';
import type { Question } from '../engine/worker.ts';
import { keyOf, type Row, withReferences } from '../flag/row.ts';
import { type Message, useWords } from '../language/language.tsx';
import { Note } from './note.tsx';
import { Violations } from './violations.tsx';

/** The count for a draft; `row` is null for a flag that is new. */
export function useFlips(rows: Row[], row: Row | null, draft: Row): Counted | undefined {
  const { people } = useSample();
  const [flags, changed] = [JSON.stringify(row === null ? [] : withReferences(rows, row)), JSON.stringify(draft)];
  const question = useMemo((): Question | null => {
    const [before, draft] = [JSON.parse(flags) as Row[], JSON.parse(changed) as Row];
    const key = keyOf(draft);
    const place = before.findIndex((row) => keyOf(row) === key);
    // What the draft refers to now is there too.
    const more = withReferences([...before, ...rows], draft).filter((row) => !before.some((known) => keyOf(known) === keyOf(row)) && keyOf(row) !== key);
    return key === '' ? null : { kind: 'count', key, rows: [...before, ...more], place, draft };
    // The rows are read again every few seconds; those that count are in `flags`.
  }, [flags, changed]);
  return useCount(question, people);
}

const ATTRIBUTES: { [attribute: string]: Message } = { plan: 'plan', role: 'role', region: 'region', company: 'company' };

export function Preview({ counted }: { counted: Counted | undefined }) {
  const { t, number, percent } = useWords();
  const { isMadeUp } = useSample();
  if (!hasEngine) {
    return <Note kind="info">{t('preview.no-engine')}</Note>;
  }
  if (counted === undefined) {
    return <p className="faint">{t('waiting')}</p>;
  }
  if (counted.violations.length > 0) {
    return (
      <Note kind="problem">
        <p>{t('preview.violations')}</p>
        <Violations violations={counted.violations} />
      </Note>
    );
  }
  const share = (of: number) => percent(counted.people === 0 ? 0 : Math.round((1_000 * of) / counted.people) / 10);
  return (
    <div className="stack">
      <dl className="figures">
        <div>
          <dt>{t('preview.now')}</dt>
          <dd className="number">
            {number(counted.before)} <span className="faint">{share(counted.before)}</span>
          </dd>
        </div>
        <div>
          <dt>{t('preview.draft')}</dt>
          <dd className="number">
            {number(counted.after)} <span className="faint">{share(counted.after)}</span>
          </dd>
        </div>
        <div>
          <dt>{t('preview.flips')}</dt>
          <dd className="number">
            <span className="gain">+{number(counted.on)}</span> <span className="loss">−{number(counted.off)}</span>
          </dd>
        </div>
      </dl>
      <p className="small faint">{t(isMadeUp ? 'preview.made-up' : 'preview.sample', { people: number(counted.people) })}</p>
      {counted.groups.map(({ attribute, values }) => (
        <Group key={attribute} name={t(ATTRIBUTES[attribute] ?? 'plan')} values={values} />
      ))}
      <p role="status" className="away">
        {t('preview.status', { after: number(counted.after), on: number(counted.on), off: number(counted.off) })}
      </p>
    </div>
  );
}

function Group({ name, values }: { name: string; values: Tally[] }) {
  const { t, number } = useWords();
  return (
    <table className="bars">
      <caption>{name}</caption>
      <thead className="away">
        <tr>
          <th scope="col">{name}</th>
          <th scope="col">{t('preview.draft')}</th>
          <th scope="col">{t('preview.flips')}</th>
        </tr>
      </thead>
      <tbody>
        {values.map(({ of, people, after, on, off }) => (
          <tr key={of}>
            <th scope="row">{of}</th>
            <td>
              <span className="bar" aria-hidden="true">
                <span style={{ width: `${(100 * after) / Math.max(people, 1)}%` }} />
              </span>
              <span className="number small">{t('of', { part: number(after), all: number(people) })}</span>
            </td>
            <td className="number small">
              {on > 0 && <span className="gain">+{number(on)}</span>} {off > 0 && <span className="loss">−{number(off)}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
