/**
 * Trips that are proposed to a store until it answers (`spec/GUARD.md`, 2.2): a flag that this process has switched off
 * is switched off for all, and stays off until a person opens it. A store that is away delays nothing.
 */
import { describeError } from '../../../js/src/sync/redaction.js';
import { inTime } from '../stores/in-time.js';
import type { TripsOfFlags } from './trips-file.js';

/** The first pause after a failure; each further failure doubles it. */
const TURN_MS = 1_000;
/** The longest pause after a failure. */
const LONGEST_PAUSE_MS = 60_000;
/** Time limit of an answer of the store, whatever its own is. */
const TIMEOUT_MS = 10_000;

/** A flag that its guard has switched off. */
export interface Trip {
  /** The key of the flag. */
  readonly flag: string;
  /** The run that is over. */
  readonly run: number;
  /** The `trip` of `guard_state`, as JSON: an object with `run`, and what people want to know. */
  readonly text: string;
}

/**
 * What a store says of a trip: it took it, the flag had tripped there already, a person has begun the run `over` since, or
 * it has no such flag with a guard.
 */
export type Verdict = 'taken' | 'known' | 'unguarded' | { readonly over: number };

/** A store to which trips are proposed: `postgres(…)`, `redis(…)`, `http(…)`, or one of your own. */
export interface TripStore {
  /** Its name in the log, without secrets. */
  readonly name: string;
  /**
   * Proposes to switch off a flag. It is asked again until there is an answer, so a trip that comes twice counts once.
   * A rejection means that there is no answer.
   */
  propose(trip: Trip): PromiseLike<Verdict>;
  /** The trips in the store, asked for once a second. A store whose trips come with the flags has no such function. */
  trips?(): PromiseLike<Iterable<Trip>>;
  /** The flags that used the store are freed. */
  close?(): void;
}

/** What has become of a trip that was proposed to a store. */
export interface GuardProposal {
  readonly flag: string;
  readonly run: number;
  /** What the store said; null until it answers. */
  readonly verdict: Verdict | null;
  /** Why it has not answered the last time, in one line; null if it has. */
  readonly error: string | null;
  /** For people. */
  readonly line: string;
}

/** Whether an option is a store of trips. */
export function isTripStore(given: unknown): given is TripStore {
  return typeof (given as TripStore | null | undefined)?.propose === 'function';
}

export class Proposals {
  readonly #store: TripStore;
  readonly #warn: (message: string) => void;
  readonly #all = new Map<string, GuardProposal>();
  /** What was taken from the store, by flag: it is taken once. */
  readonly #taken = new Map<string, string>();
  #isBusy = false;
  #isEnded = false;
  #failures = 0;
  #pausedUntil = 0;

  constructor(store: TripStore, warn: (message: string) => void) {
    this.#store = store;
    this.#warn = (message) => warn(`${store.name}: ${message}`);
  }

  /** How each trip is. */
  all(): GuardProposal[] {
    return [...this.#all.values()];
  }

  /** Proposes the trips that the store has not answered, and takes the store's own. */
  async turn(flags: TripsOfFlags): Promise<void> {
    if (this.#isBusy || this.#isEnded) {
      return;
    }
    const trips = tripsOf(flags.more(''));
    this.#keep(trips);
    if (performance.now() < this.#pausedUntil) {
      return;
    }
    this.#isBusy = true;
    const problems: unknown[] = [];
    const note = (problem: unknown): void => void problems.push(problem);
    for (const trip of trips) {
      await this.#propose(trip).catch(note);
    }
    await this.#take(flags).catch(note);
    this.#isBusy = false;
    if (problems.length === 0) {
      this.#failures = 0;
    } else {
      this.#failed(problems[0]);
    }
  }

  end(): void {
    this.#isEnded = true;
    try {
      this.#store.close?.();
    } catch (problem) {
      this.#warn(describeError(problem));
    }
  }

  /** The trips that stand, each with what is known of it. */
  #keep(trips: readonly Trip[]): void {
    const before = new Map(this.#all);
    this.#all.clear();
    for (const { flag, run } of trips) {
      const known = before.get(flag);
      if (known?.run === run) {
        this.#all.set(flag, known);
      } else {
        this.#put(flag, run, null, null);
      }
    }
  }

  async #propose(trip: Trip): Promise<void> {
    const { flag, run } = trip;
    if (this.#isEnded || this.#all.get(flag)?.verdict !== null) {
      return;
    }
    try {
      const verdict = checked(await within(async () => this.#store.propose(trip)));
      const line = this.#put(flag, run, verdict, null);
      if (verdict !== 'known') {
        this.#warn(line);
      }
    } catch (problem) {
      this.#put(flag, run, null, describeError(problem));
      throw problem;
    }
  }

  #put(flag: string, run: number, verdict: Verdict | null, error: string | null): string {
    const line = `${flag}: the trip of run ${run} ${stands(verdict, error)}`;
    this.#all.set(flag, { flag, run, verdict, error, line });
    return line;
  }

  async #take(flags: TripsOfFlags): Promise<void> {
    if (this.#isEnded || typeof this.#store.trips !== 'function') {
      return;
    }
    for (const { flag, text } of await within(async () => this.#store.trips?.() ?? [])) {
      if (this.#taken.get(flag) !== text) {
        this.#taken.set(flag, text);
        // Each by itself: one that is broken does not keep out the others.
        const problem = flags.take(`{"esclusa":1,"layer":"trips","flags":[{"name":${JSON.stringify(flag)},"trip":${text}}]}`);
        if (problem !== null) {
          this.#warn(`the trip of \`${flag}\` cannot be read: ${problem}`);
        }
      }
    }
  }

  /** Waits, and says so the first time. */
  #failed(problem: unknown): void {
    if (this.#failures === 0) {
      this.#warn(`trips are not exchanged: ${describeError(problem)}`);
    }
    const asked = (problem as { retryAfterMs?: unknown } | null)?.retryAfterMs;
    const pause = typeof asked === 'number' ? asked : TURN_MS * 2 ** this.#failures;
    this.#pausedUntil = performance.now() + Math.min(pause, LONGEST_PAUSE_MS);
    this.#failures += 1;
  }
}

/** The end of the line for people. */
function stands(verdict: Verdict | null, error: string | null): string {
  switch (verdict) {
    case 'taken':
    case 'known':
      return 'is in the store';
    case 'unguarded':
      return 'is not taken, because the store has no such flag with a guard';
    case null:
      return error === null ? 'is being proposed to the store' : `is not in the store yet: ${error}`;
    default:
      return `is void, because run ${verdict.over} has begun`;
  }
}

function checked(verdict: Verdict): Verdict {
  if (!['taken', 'known', 'unguarded'].includes(verdict as string) && typeof (verdict as { over?: unknown } | null)?.over !== 'number') {
    throw new TypeError('the answer to a trip does not fit, expected `taken`, `known`, `unguarded` or `{ over: run }`');
  }
  return verdict;
}

/** The trips of a document (`spec/GUARD.md`, 2.3); empty text has none. */
function tripsOf(document: string): Trip[] {
  const { flags } = document === '' ? { flags: [] } : (JSON.parse(document) as { flags: { name: string; trip: { run: number } }[] });
  return flags.map(({ name, trip }) => ({ flag: name, run: trip.run, text: JSON.stringify(trip) }));
}

function within<T>(answer: () => Promise<T>): Promise<T> {
  return inTime(TIMEOUT_MS, answer(), () => undefined);
}
