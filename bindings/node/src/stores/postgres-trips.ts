/** Trips in Postgres: `esclusa.trip` of the migration `002_guard.sql` takes them. */
import type { Trip, Verdict } from '../tracking/proposals.js';
import type { Link } from './postgres-link.js';

/** What `esclusa.trip` raises if another run has begun, and if there is no such flag with a guard. */
const [OTHER_RUN, NO_FLAG] = ['ES007', 'ES008'] as const;

/** Proposes a trip of a flag of this watched table; null is the only one. */
export async function propose(link: Link, trip: Trip, table: string | null): Promise<Verdict> {
  try {
    const [isTaken] = await link.call('SELECT esclusa.trip($1::text, $2::bigint, $3::text::jsonb, $4::text)', [trip.flag, String(trip.run), trip.text, table]);
    return isTaken === true ? 'taken' : 'known';
  } catch (problem) {
    const { code, detail, hint, message } = problem as { code?: unknown; detail?: unknown; hint?: unknown; message?: unknown };
    if (code === NO_FLAG) {
      return 'unguarded';
    }
    // A trip that is ahead of the store's run is proposed again when the store has caught up.
    if (code === OTHER_RUN && Number(detail) > trip.run) {
      return { over: Number(detail) };
    }
    throw typeof hint === 'string' && hint !== '' ? new Error(`${String(message)} (${hint})`) : problem;
  }
}
