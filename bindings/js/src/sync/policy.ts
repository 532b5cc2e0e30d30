/** When a source is asked, and how asking is retried [11], as an app says it. */
import { kindOf } from '../publication.js';
import { decide } from './decide.js';
import type { Logger } from './log.js';

/** How to keep fresh; times are in milliseconds. */
export interface SyncOptions {
  /** From one good answer to the next ask; 30,000 unless told otherwise. */
  intervalMs?: number | undefined;
  /** The part of the interval, 0 to 1, of which a random share is taken off, so that apps spread out; 0.2. */
  jitter?: number | undefined;
  /** Data older than this is stale; four intervals. */
  staleAfterMs?: number | undefined;
  /** The wait after the first failure, which doubles with each further one; 1,000. */
  backoffMinMs?: number | undefined;
  /** The longest wait after a failure; 60,000. */
  backoffMaxMs?: number | undefined;
  /** Within how long after a notification the source is asked, at random, so that not every app asks at once; 200. */
  spreadMs?: number | undefined;
  /** How long one answer may take, whatever the source's own limits are; 30,000. */
  timeoutMs?: number | undefined;
  /**
   * How long `ready` waits for a new answer when the process was frozen since the last one was due, as functions are
   * between calls; `status()` says why there was none. 0: it does not.
   */
  thawMs?: number | undefined;
  /** Takes bare rows without a row for an answer. A store that hides its rows answers so, so they are a failure otherwise [11.17]. */
  allowEmpty?: boolean | undefined;
  /** Who is told of failures, recoveries and publishes; the console unless told otherwise, null for nobody. */
  logger?: Logger | null | undefined;
}

/** A year is enough for anybody. */
const MAX_MS = 366 * 24 * 3_600_000;

/** A time that an app gave, or another where it gave none. */
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

/** The policy as the engine takes it: what the app leaves out has the engine's defaults [11.18]. */
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

/** Different in every process, so that they do not ask at once, and nothing that others can guess. */
function seed(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1f_ffff) * 2 ** 32 + low;
}
