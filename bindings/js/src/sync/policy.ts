/** When a source is asked, and how requests are retried [11]: an app's options. */
import { kindOf } from '../publication.js';
import { decide } from './decide.js';
import type { Logger } from './log.js';

/** How to keep fresh; times are in milliseconds. */
export interface SyncOptions {
  /** From one good answer to the next request; 30,000 by default. */
  intervalMs?: number | undefined;
  /** The part of the interval, 0 to 1, of which a random share is subtracted, so that requests of many apps spread out; 0.2 by default. */
  jitter?: number | undefined;
  /** Data older than this is stale; four intervals. */
  staleAfterMs?: number | undefined;
  /** The wait after the first failure, which doubles with each further one; 1,000. */
  backoffMinMs?: number | undefined;
  /** The longest wait after a failure; 60,000. */
  backoffMaxMs?: number | undefined;
  /** After a notification, the request comes within this time, at random, so that not every app asks at once; 200 by default. */
  spreadMs?: number | undefined;
  /** Time limit of one answer, independent of the source's own limits; 30,000 by default. */
  timeoutMs?: number | undefined;
  /**
   * How long `ready` waits for a new answer if the process was frozen since the last one was due, as functions are
   * between calls; `status()` has the reason if there was none. With 0 it does not wait.
   */
  thawMs?: number | undefined;
  /** Accepts bare rows without a row. A store that hides its rows answers so, so by default this is a failure [11.17]. */
  allowEmpty?: boolean | undefined;
  /** Receives failures, recoveries and publishes; the console by default, null for none. */
  logger?: Logger | null | undefined;
}

/** No app needs a longer time than a year. */
const MAX_MS = 366 * 24 * 3_600_000;

/** The app's time, or the default. */
export function milliseconds(name: string, given: number | undefined, byDefault: number, least = 0): number {
  const ms = given ?? byDefault;
  if (typeof ms !== 'number') {
    throw new TypeError(`\`${name}\` is ${kindOf(ms)}, expected a number`);
  }
  if (!(ms >= least && ms <= MAX_MS)) {
    throw new RangeError(`\`${name}\` is ${ms}, expected ${least} to ${MAX_MS}`);
  }
  return Math.ceil(ms);
}

/** The policy for the engine: missing fields have the engine's defaults [11.18]. */
export function policyText(options: SyncOptions): string {
  const jitter = options.jitter ?? undefined;
  if (jitter !== undefined && !(typeof jitter === 'number' && jitter >= 0 && jitter <= 1)) {
    throw new RangeError(`\`jitter\` is ${jitter}, expected 0 to 1`);
  }
  const given = (name: 'intervalMs' | 'staleAfterMs' | 'backoffMinMs' | 'backoffMaxMs' | 'spreadMs'): number | undefined =>
    (options[name] ?? undefined) === undefined ? undefined : milliseconds(name, options[name], 0);
  const policy = decide({
    decide: 'policy',
    interval_ms: given('intervalMs'),
    jitter_percent: jitter === undefined ? undefined : Math.round(jitter * 100),
    stale_after_ms: given('staleAfterMs'),
    backoff_min_ms: given('backoffMinMs'),
    backoff_max_ms: given('backoffMaxMs'),
    spread_ms: given('spreadMs'),
  }) as { error?: string };
  if (policy.error !== undefined) {
    throw new RangeError(policy.error.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  }
  return JSON.stringify({ seed: seed(), ...policy });
}

/** Different in every process, so that processes do not ask at the same moment, and not guessable. */
function seed(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1f_ffff) * 2 ** 32 + low;
}
