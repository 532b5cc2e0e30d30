/** The status, for a person and for a health check. */
import type { MappedBy } from '../mapping.js';
import { decide } from './decide.js';

/** The state in one word [11.1]. */
export type State = 'starting' | 'fresh' | 'stale' | 'failing';

/** The state between a source and its flags. */
export interface Status {
  readonly state: State;
  /** The name of the source. */
  readonly source: string;
  /** The revision that was published last, if it has one. */
  readonly revision: number | null;
  /** Milliseconds since the last good answer; null if there was none. */
  readonly ageMs: number | null;
  /** Failures in a row. */
  readonly failures: number;
  /** The last error, in one line and without secrets; it stays when things are good again. */
  readonly lastError: { readonly error: string; readonly at: Date } | null;
  /** Why the source is polled once per interval, although it could send notifications. */
  readonly polled: string | null;
  /** Whose mapping defines the columns; null without a mapping. */
  readonly mappedBy: MappedBy | null;
}

/** In one line [11.22]: `failing from flags.json, revision 42, 31 s old, 3 failures, the last: connection refused`. */
export function line({ state, source, revision, ageMs, failures, lastError, polled, mappedBy }: Status): string {
  const last = lastError && { error: lastError.error, at_ms: 0 };
  const by = mappedBy === 'app instead of stored' ? `${source}, by the app's mapping instead of the stored one` : source;
  const said = decide({ decide: 'status_line', source: by, state, revision, age_ms: ageMs, failures, last_error: last }) as string;
  return polled === null ? said : `${said}; asked once an interval: ${polled}`;
}
