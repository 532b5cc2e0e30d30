/** Outcomes of one handle: they are checked, counted by the guards, and given to the app's listeners. */
import { Context, BROKEN, numberOf } from '../../../js/src/context.js';
import { type Caller, Flags } from '../../../js/src/flags.js';
import { Log, type Logger } from '../../../js/src/sync/log.js';
import type { NativeEngine } from '../native.js';
import { Guards } from './guards.js';
import { Proposals, type TripStore, isTripStore } from './proposals.js';
import { type Outcome, type Tracked, durationOf, errorOf, isEvent, isValue } from './outcome.js';
import { TripsFile } from './trips-file.js';

/** Whether guards watch the flags: true, or the path of the file of trips that processes share. */
export type GuardOption = boolean | string | URL | null | undefined;

/** What may be said of guards where flags are made. */
export interface GuardOptions {
  readonly guard?: GuardOption;
  readonly propose?: TripStore | null | undefined;
  readonly logger?: Logger | null | undefined;
}

/** How often evidence is judged. */
const TICK_MS = 1_000;
/** A thread that attached to the flags judges when the one that began has not for this time: it is gone, or its event loop is blocked. */
const ABSENT_MS = 1_900;
/** Names of events may come from callers, so the number of their slots is bounded. */
const MOST_EVENTS = 1_000;
const UNASKED = 'no `guard` was asked for, expected the option `guard: true` or the path of a file of trips';

type Listener = (tracked: Tracked) => unknown;

export class Tracking {
  readonly #engine: NativeEngine | undefined;
  /** The number of the flags in the engine, once there is one. */
  #number: number | undefined;
  readonly #events = new Map<string, number>();
  readonly #listeners = new Set<Listener>();
  #offBecause = UNASKED;
  /** Number of outcomes that could not be used while nothing watched the flags. */
  #dropped = 0;
  #stop: (() => void) | undefined;
  #proposals: Proposals | undefined;

  constructor(engine: NativeEngine | undefined) {
    this.#engine = engine;
  }

  /** Watches the flags. */
  guard(flags: Flags, { guard: option, propose, logger }: GuardOptions, afterMs: number = 0): void {
    if (propose !== undefined && propose !== null && !isTripStore(propose)) {
      throw new TypeError('`propose` does not fit, expected a store of trips, such as `postgres(…)`, `redis(…)` or `http(…)`');
    }
    if (option === false || option === undefined || option === null) {
      if (propose !== undefined && propose !== null) {
        throw new TypeError('`propose` is for the trips of guards, expected the option `guard` beside it');
      }
      return;
    }
    if (option !== true && (typeof option !== 'string' || option === '') && !(option instanceof URL)) {
      throw new TypeError('`guard` does not fit, expected true, false or the path of a file of trips');
    }
    const log = new Log(logger);
    if (this.#engine === undefined) {
      this.#offBecause = 'they need the native engine, and this is the one in WebAssembly';
      log.say('warn', `guards are off: ${this.#offBecause}`);
      return;
    }
    if (this.#stop !== undefined) {
      throw new Error('the flags are guarded already, expected the option `guard` once');
    }
    this.#number = Flags.numberOf(flags);
    this.#engine.guard(this.#number);
    const warn = (message: string): void => log.say('warn', message);
    this.#proposals = isTripStore(propose) ? new Proposals(propose, warn) : undefined;
    const file = option === true ? undefined : new TripsFile(option, warn);
    this.#stop = ticking(flags, this.#engine, this.#number, afterMs, file, this.#proposals, warn);
  }

  /** Flags that another thread may watch, whose listeners are told of trips as long as it judges. */
  attached(flags: Flags): void {
    if (this.#engine?.isGuarded(Flags.numberOf(flags)) === true) {
      this.guard(flags, { guard: true }, ABSENT_MS);
    }
  }

  /** Counts an outcome. It never throws: one that cannot be used is counted as dropped. */
  track(flags: Flags, event: string, context: Caller, outcome: Outcome | null | undefined): void {
    try {
      let isError: 0 | 1 | undefined = 0;
      let durationMs: number | undefined = Number.NaN;
      if (outcome !== undefined && outcome !== null) {
        const isUsable = typeof outcome === 'object' && isValue(outcome.value);
        isError = isUsable ? errorOf(outcome.error) : undefined;
        durationMs = durationOf(outcome.durationMs);
      }
      if (isError === undefined || durationMs === undefined || !isEvent(event) || !this.#count(flags, event, context, isError, durationMs)) {
        this.#drop(event);
      } else if (this.#listeners.size > 0) {
        const { error: _error, durationMs: _durationMs, value, ...fields } = outcome ?? {};
        const lasted = Number.isNaN(durationMs) ? null : durationMs;
        this.#tell({ event, context, error: isError === 1, durationMs: lasted, value: value ?? null, fields, fromBrowser: false });
      }
    } catch {
      // A getter or a proxy has failed.
      this.#drop(event);
    }
  }

  /** The same for an event that a browser reports, which is checked already. */
  trackFromBrowser(flags: Flags, tracked: Tracked): void {
    const { event, context, error, durationMs } = tracked;
    const engine = this.#engine;
    if (engine !== undefined) {
      const number = numberOf(context, engine);
      if (number === BROKEN) {
        this.#drop(event);
        return;
      }
      engine.trackFromBrowser((this.#number ??= Flags.numberOf(flags)), event, number, error, durationMs ?? Number.NaN);
    }
    this.#tell(tracked);
  }

  /** Whether the guard of a flag names this event. */
  watches(flags: Flags, event: string): boolean {
    return this.#engine?.watches((this.#number ??= Flags.numberOf(flags)), event) === true;
  }

  guards(): Guards {
    const wire = this.#number === undefined ? '' : (this.#engine?.guards(this.#number) ?? '');
    return new Guards(wire, this.#offBecause, this.#dropped, this.#proposals?.all());
  }

  /** Calls the listener with every outcome that can be used. Returns a function that removes it. */
  listen(listener: Listener): () => void {
    const own: Listener = (tracked) => listener(tracked);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** The flags are freed: nothing watches them here any more. */
  free(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#proposals = undefined;
    this.#number = undefined;
    this.#events.clear();
  }

  /** Whether the context could be read; only then it counts. */
  #count(flags: Flags, event: string, context: Caller, isError: 0 | 1, durationMs: number): boolean {
    const engine = this.#engine;
    if (engine === undefined) {
      return true;
    }
    const number = (this.#number ??= Flags.numberOf(flags));
    const slot = this.#events.get(event) ?? this.#slot(engine, number, event);
    const caller = Context.is(context) ? Context.numberOf(context, engine) : numberOf(context, engine);
    if (caller === BROKEN) {
      return false;
    }
    engine.track(number, slot, caller, isError, durationMs);
    return true;
  }

  #slot(engine: NativeEngine, number: number, event: string): number {
    if (this.#events.size >= MOST_EVENTS) {
      this.#events.clear();
      engine.forgetEvents(number);
    }
    const slot = engine.event(number, event);
    this.#events.set(event, slot);
    return slot;
  }

  /** Counts an outcome that cannot be used. */
  #drop(event: unknown): void {
    this.#dropped += 1;
    if (this.#number !== undefined) {
      this.#engine?.dropOutcome(this.#number, typeof event === 'string' ? event : '');
    }
  }

  #tell(tracked: Tracked): void {
    for (const listener of [...this.#listeners]) {
      try {
        // An async function throws later.
        Promise.resolve(listener(tracked)).catch(failed);
      } catch (problem) {
        failed(problem);
      }
    }
  }
}

function failed(problem: unknown): void {
  console.error('esclusa: a listener of onTrack failed', problem);
}

/** Judges once a second for as long as the flags are held, without keeping the process alive. Returns a function that ends it. */
function ticking(flags: Flags, engine: NativeEngine, number: number, afterMs: number, file: TripsFile | undefined, proposals: Proposals | undefined, warn: (message: string) => void): () => void {
  const held = new WeakRef(flags);
  let isStopped = false;
  const tell = (reports: readonly object[]): void => {
    const flags = held.deref();
    for (const report of flags === undefined ? [] : reports) {
      Flags.tell(flags as Flags, JSON.stringify(report));
    }
  };
  const trips = {
    take(document: string): string | null {
      // The flags may have been freed while the file was read, and their number be that of others.
      const said = isStopped ? '' : engine.takeTrips(number, document);
      const { problem, reports } = said === '' ? { problem: null, reports: [] } : (JSON.parse(said) as { problem: string | null; reports: object[] });
      tell(reports);
      return problem;
    },
    more: (document: string): string => (isStopped ? '' : engine.moreTrips(number, document)),
  };
  const stop = (): void => {
    isStopped = true;
    clearInterval(timer);
    proposals?.end();
  };
  const tick = (): void => {
    if (held.deref() === undefined) {
      stop();
      return;
    }
    const { tripped, reports } = JSON.parse(engine.judge(number, afterMs)) as { tripped: { flag: string; metric: string }[]; reports: object[] };
    tripped.forEach(({ flag, metric }) => warn(`the guard of \`${flag}\` has switched it off: ${metric}`));
    tell(reports);
    // Neither is waited for: a disk or a store that hangs delays no judgement.
    void file?.turn(trips);
    void proposals?.turn(trips);
  };
  const timer = setInterval(tick, TICK_MS).unref();
  file?.begin(trips);
  return stop;
}
