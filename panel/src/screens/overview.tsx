/** How the releases stand: what is on, what comes, what was stopped, and the last and next seven days. */
import { useMemo } from 'react';
import { Link } from 'wouter';
import { useFlags } from '../api/flags.ts';
import { useHistory } from '../api/history.ts';
import { useAside, useSample } from '../engine/engine.ts';
import type { Question } from '../engine/worker.ts';
import { type Row, scheduleOf, textOf } from '../flag/row.ts';
import { stateOf } from '../flag/state.ts';
import { type Message, useWords } from '../language/language.tsx';
import { addressOf } from '../parts/address.ts';
import { Note } from '../parts/note.tsx';
import { Refused } from '../parts/refusal.tsx';
import { Violations } from '../parts/violations.tsx';
import { type Event, Timeline } from './timeline.tsx';

const DAYS = 7;
const DAY_MS = 86_400_000;
const LINES = 200;

/** What the times of a flag begin or end. */
function coming(key: string, row: Row): Event[] {
  const dates = (['start_date', 'end_date'] as const).map((field) => ({ at: Date.parse(textOf(row, field)), kind: field }));
  const steps = scheduleOf(row).map((step) => ({ at: Date.parse(step.at), kind: 'step' as const, share: Number(step.rollout_percentage) }));
  return [...dates, ...steps].filter(({ at }) => !Number.isNaN(at)).map((event) => ({ ...event, flag: key }));
}

export function Overview() {
  const { t, number } = useWords();
  const flags = useFlags();
  const history = useHistory(null, LINES);
  const { people } = useSample();
  const all = flags.data ?? [];
  const text = JSON.stringify(all.map(({ flag }) => flag));
  const question = useMemo((): Question => ({ kind: 'aside', rows: JSON.parse(text) }), [text]);
  const aside = useAside(question, people) ?? [];
  const states = all.map(({ flag }) => stateOf(flag));
  const now = Date.now();
  const times = all.flatMap(({ key, flag }) => coming(key, flag));
  const pending = times.filter(({ at }) => at > now);
  const done: Event[] = (history.data ?? []).map(({ at, flag, action }) => ({ at: Date.parse(at), flag, kind: 'change', action }));
  const near = [...times, ...done].filter(({ at }) => Math.abs(at - now) <= DAYS * DAY_MS).sort((a, b) => a.at - b.at);
  const stops = done.filter(({ at, action }) => now - at <= DAYS * DAY_MS && (action === 'emergency_rollback' || action === 'guard_trip'));
  const figures: [Message, number, string][] = [
    ['overview.active', states.filter((state) => state === 'on' || state === 'partial').length, '/'],
    ['overview.partial', states.filter((state) => state === 'partial').length, '/?state=partial'],
    ['overview.pending', pending.length, '/?state=pending'],
    ['overview.tripped', states.filter((state) => state === 'tripped').length, '/?state=tripped'],
    ['overview.stops', stops.length, '/history'],
    ['overview.aside', aside.length, '/overview'],
  ];
  const isBad = states.includes('tripped') || aside.length > 0;
  return (
    <div className="stack screen">
      <h1>{t('overview')}</h1>
      <Refused problem={flags.error ?? history.error} />
      {flags.data !== undefined && <Note kind={isBad ? 'problem' : stops.length > 0 ? 'warning' : 'good'}>{t(isBad ? 'health.bad' : stops.length > 0 ? 'health.stopped' : 'health.good')}</Note>}
      <dl className="figures wide">
        {figures.map(([name, value, place]) => (
          <div key={name}>
            <dt>
              <Link href={place}>{t(name)}</Link>
            </dt>
            <dd className="number">{number(value)}</dd>
          </div>
        ))}
      </dl>
      {aside.length > 0 && (
        <section className="card stack" aria-labelledby="aside">
          <h2 id="aside">{t('overview.aside')}</h2>
          <p>{t('overview.aside-about')}</p>
          {aside.map(({ key, violations }) => (
            <div key={key}>
              <Link href={addressOf(key, 'json')}>
                <code>{key}</code>
              </Link>
              <Violations violations={violations} />
            </div>
          ))}
        </section>
      )}
      <Timeline events={near} now={now} days={DAYS} />
    </div>
  );
}
