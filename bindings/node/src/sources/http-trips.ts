/** Trips behind a URL: the collection of `spec/GUARD.md`, 2.1 to 2.3, which `esclusa serve` has under `/v1/trips`. */
import { read } from '../../../js/src/sync/http.js';
import type { Access } from '../../../js/src/sync/http/access.js';
import { retryAfterMs } from '../../../js/src/sync/http/retry-after.js';
import { Failure, type Source } from '../../../js/src/sync/source.js';
import { inTime } from '../stores/in-time.js';
import type { Trip, TripStore, Verdict } from '../tracking/proposals.js';

/** Maximum size of an answer to a proposal that is read. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Proposals to the URL of all trips. They follow no redirect. */
export function tripsBehind(home: URL, access: Access, source: Source, timeoutMs: number): Required<Pick<TripStore, 'propose' | 'trips'>> {
  let etag: string | null = null;
  let known: Trip[] = [];
  return {
    propose(trip) {
      const asking = new AbortController();
      const url = new URL(home);
      url.pathname = `${home.pathname.replace(/\/$/, '')}/${encodeURIComponent(trip.flag)}`;
      const sent = access.send(url, { 'content-type': 'application/json' }, asking.signal, { method: 'PUT', body: trip.text, redirect: 'manual' });
      return inTime(timeoutMs, sent.then((response) => verdictOf(response, trip)), () => asking.abort());
    },
    async trips() {
      const asking = new AbortController();
      const asked = source.fetch({ etag, revision: null, inFull: false, allowEmpty: true, signal: asking.signal });
      const answer = (await inTime(timeoutMs, Promise.resolve(asked), () => asking.abort())) as { bytes?: Uint8Array; etag?: string | null };
      if (answer.bytes !== undefined) {
        known = tripsOf(new TextDecoder().decode(answer.bytes));
        etag = answer.etag ?? null;
      }
      return known;
    },
  };
}

async function verdictOf(response: Response, trip: Trip): Promise<Verdict> {
  if (response.status === 409) {
    const { run } = JSON.parse(new TextDecoder().decode(await read(response, MAX_ANSWER_BYTES))) as { run?: unknown };
    // A trip that is ahead of the store's run is proposed again when the store has caught up.
    if (typeof run === 'number' && run > trip.run) {
      return { over: run };
    }
    throw new Failure('the answer of status 409 has no later `run`');
  }
  response.body?.cancel().catch(() => undefined);
  switch (response.status) {
    case 201:
      return 'taken';
    case 200:
      return 'known';
    case 404:
      return 'unguarded';
    default:
      throw new Failure(`the answer has the status ${response.status}, expected 200, 201, 404 or 409`, { retryAfterMs: retryAfterMs(response.headers) });
  }
}

function tripsOf(document: string): Trip[] {
  const { layer, flags } = JSON.parse(document) as { layer?: unknown; flags?: unknown };
  if (layer !== 'trips' || !Array.isArray(flags)) {
    throw new Failure('the answer is no document of trips, expected `"layer": "trips"` and `flags`');
  }
  return (flags as { name?: unknown; trip?: { run?: unknown } | null }[]).flatMap(({ name, trip }) =>
    typeof name === 'string' && typeof trip?.run === 'number' ? [{ flag: name, run: trip.run, text: JSON.stringify(trip) }] : [],
  );
}
