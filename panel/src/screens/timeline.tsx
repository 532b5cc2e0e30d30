/** The days around now as a picture, with a table that says the same. */
import { Link } from 'wouter';
import { type Message, useWords, type Words } from '../language/language.tsx';
import { addressOf } from '../parts/address.ts';

export interface Event {
  at: number;
  flag: string;
  kind: 'start_date' | 'end_date' | 'step' | 'change';
  share?: number;
  action?: string;
}

const [WIDTH, HEIGHT, DAY_MS] = [1_000, 90, 86_400_000];

function nameOf({ kind, share, action }: Event, { t, has, percent }: Words): string {
  if (kind === 'change') {
    const message = `action.${action ?? ''}`;
    return has(message) ? t(message) : (action ?? '');
  }
  return kind === 'step' ? t('timeline.step', { share: percent(share ?? 0) }) : t(`timeline.${kind}` as Message);
}

export function Timeline({ events, now, days }: { events: Event[]; now: number; days: number }) {
  const words = useWords();
  const { t, day, moment } = words;
  const x = (at: number) => ((at - now) / (days * DAY_MS) + 1) * (WIDTH / 2);
  return (
    <section className="card stack" aria-labelledby="timeline">
      <h2 id="timeline">{t('timeline')}</h2>
      <svg className="timeline" viewBox={`-40 0 ${WIDTH + 80} ${HEIGHT}`} aria-hidden="true">
        <line className="axis" x1="0" x2={WIDTH} y1="45" y2="45" />
        {Array.from({ length: 2 * days + 1 }, (_, at) => now + (at - days) * DAY_MS).map((at) => (
          <g key={at}>
            <line className="axis" x1={x(at)} x2={x(at)} y1="41" y2="49" />
            <text x={x(at)} y="84" textAnchor="middle">
              {day(at)}
            </text>
          </g>
        ))}
        <line className="today" x1={WIDTH / 2} x2={WIDTH / 2} y1="8" y2="64" />
        {events.map((event, at) =>
          event.kind === 'change' ? (
            <circle key={at} className={`event event-${event.action ?? ''}`} cx={x(event.at)} cy="45" r="7" />
          ) : (
            <rect key={at} className="event event-time" x={x(event.at) - 6} y="18" width="12" height="12" transform={`rotate(45 ${x(event.at)} 24)`} />
          ),
        )}
      </svg>
      {events.length === 0 ? (
        <p className="faint">{t('timeline.none')}</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label={t('timeline.table')}>
          <table className="plain-table">
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                <th scope="col">{t('flag.key')}</th>
                <th scope="col">{t('timeline.what')}</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event, at) => (
                <tr key={at}>
                  <td>{moment(event.at)}</td>
                  <td>
                    <Link href={addressOf(event.flag)}>
                      <code>{event.flag}</code>
                    </Link>
                  </td>
                  <td>{nameOf(event, words)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
