/** Flags in Node: those that every JavaScript host has, and threads that share them. */
import { install } from '../../js/src/engine.js';
import { type Caller, Flags as EveryFlags } from '../../js/src/flags.js';
import { Flags as HoldingFlags } from '../../js/src/held.js';
import type { Stored } from '../../js/src/parameters.js';
import type { Snapshot } from '../../js/src/publication.js';
import type { HttpOptions } from '../../js/src/sync/http.js';
import type { SyncOptions } from '../../js/src/sync/policy.js';
import type { Fetch, Source } from '../../js/src/sync/source.js';
import type { Status } from '../../js/src/sync/status.js';
import { type Sync, sync, syncOf } from '../../js/src/sync/sync.js';
import type { Bundle } from '../../js/src/tables.js';
import type { AnyFlags, Report } from '../../js/src/types.js';
import { load } from './load.js';
import { type MappedOptions, type MappingLike, mappedOptions } from './mapping.js';
import { environment } from './sources/environment.js';
import { file } from './sources/file.js';
import { http } from './sources/http.js';
import { mapped } from './sources/mapped.js';
import { cached } from './sources/cached.js';
import type { Guards } from './tracking/guards.js';
import { measured } from './tracking/measure.js';
import type { Outcome, Tracked } from './tracking/outcome.js';
import type { TripStore } from './tracking/proposals.js';
import { type GuardOption, Tracking } from './tracking/tracking.js';

const loaded = load();
install(loaded.engine);

/** The engine that runs: `native`, or `wasm` if there is no addon for this machine. */
export const engine: 'native' | 'wasm' = loaded.name;

/** Options of flags. */
export interface FlagsOptions {
  /**
   * Whether outcomes are judged, and flags that do harm by their `guard` switched off: true, or the path of a file of
   * trips, which processes of a host share, and with which a flag that tripped is off after a restart too.
   */
  guard?: GuardOption;
  /**
   * The store to which trips are proposed until it answers, so that the flag is off for all, beside `guard`:
   * `postgres(…)` with `002_guard.sql`, `redis(…)`, `http(…)` with the URL of trips, or one of your own. Of Redis and HTTP
   * the trips of others are taken too, once a second; those of Postgres come with the flags. A store that is away delays
   * nothing, and `guards().lines` say so.
   */
  propose?: TripStore | null | undefined;
}

/** Options for keeping flags fresh. */
export interface SourceOptions extends FlagsOptions, SyncOptions {
  /** Which column is which field of a flag, if the source gives rows of a table with columns of its own. */
  mapping?: MappingLike | Stored | null | undefined;
}

/** A handle with which another thread of this process finds the same flags; it can be sent in a message or as `workerData`. */
export interface SharedFlags {
  readonly esclusa: 'shared flags';
  readonly number: number;
}

/**
 * The current flag set, and the answers that it gives. It answers defaults until something is published.
 *
 * ```js
 * const flags = new Flags();
 * await flags.publish(await readFile('flags.json'));
 * if (flags.isEnabled('crm_advanced_features', { user: 'user-42', company: 'acme', plan: 'PREMIUM' })) { … }
 * ```
 */
export class Flags<F extends AnyFlags = AnyFlags> extends HoldingFlags<F> {
  readonly #tracking = new Tracking(loaded.name === 'native' ? loaded.engine : undefined);

  constructor(options?: FlagsOptions | null) {
    super();
    this.#tracking.guard(this, options ?? {});
  }

  /**
   * Makes a snapshot the current one, or rows that a mapping reads, and returns the report; a refused one throws a
   * `SnapshotError`, or a `MappingError`, which is a subclass.
   *
   * It does not wait: a snapshot that was given to `publish` before may become current after this one.
   */
  override publishSync(snapshot: Snapshot | Bundle, options?: MappedOptions | null): Report {
    return super.publishSync(snapshot, mappedOptions(options));
  }

  /**
   * The same, compiled off the event loop where the engine can do that. Snapshots become current in the order in which
   * they were given to this function.
   *
   * @throws SnapshotError (as a rejection) if the snapshot is refused.
   */
  override async publish(snapshot: Snapshot | Bundle, options?: MappedOptions | null): Promise<Report> {
    return super.publish(snapshot, mappedOptions(options));
  }

  /**
   * What a worker thread needs to use the same flags: all threads share one compiled set, and a snapshot that any of
   * them publishes is current in all. Only the listeners of the publishing thread are called.
   *
   * The flags live as long as any thread holds them; this object does not count.
   *
   * @throws Error in WebAssembly, whose memory belongs to one thread.
   */
  share(): SharedFlags {
    const { engine } = nativeOnly();
    return { esclusa: 'shared flags', number: engine.share(EveryFlags.numberOf(this)) };
  }

  /**
   * The flags that another thread of this process shares.
   *
   * A publish through any handle is current in all; but listeners are called only for publishes of their own handle
   * [12.9].
   *
   * @throws Error if no thread holds the flags any more, or in WebAssembly.
   */
  static fromShared<F extends AnyFlags = AnyFlags>(shared: SharedFlags): Flags<F> {
    if (shared?.esclusa !== 'shared flags' || typeof shared.number !== 'number') {
      throw new TypeError('these are no shared flags, expected what `flags.share()` gives');
    }
    const { engine } = nativeOnly();
    const number = engine.attach(shared.number);
    if (number < 0) {
      throw new Error('the shared flags are gone: no thread of this process holds them');
    }
    const flags = EveryFlags.adopt(new Flags<F>(), engine, number);
    flags.#tracking.attached(flags);
    return flags;
  }

  /**
   * Flags that a file keeps fresh: when it is replaced or rewritten, it is published within a moment.
   *
   * The file's content is published before this returns. A file that is missing, or is not a snapshot, throws no error
   * here: `status` and the log have the error. With a `mapping` it has rows of a table with columns of its own.
   */
  static fromFile<F extends AnyFlags = AnyFlags>(path: string | URL, options?: SourceOptions | null): Flags<F> {
    return this.fromSource(file(path), options);
  }

  /**
   * Flags that a store behind a URL keeps fresh. `cache` names a file for the last good answer, which is published
   * first at the next start. With a `mapping` the store gives rows of a table with columns of its own, and the cached
   * copy has them unchanged.
   */
  static fromUrl<F extends AnyFlags = AnyFlags>(url: string | URL, options: HttpOptions & SourceOptions & { cache?: string | URL | undefined } = {}): Flags<F> {
    const { timeoutMs, cache: path, mapping, guard, propose, ...rest } = options;
    const source = read(http(url, { ...rest, timeoutMs }), mapping);
    const whole = timeoutMs === undefined ? undefined : 3 * timeoutMs;
    return this.fromSource(path === undefined ? source : cached(source, path), { ...rest, guard, propose, timeoutMs: whole });
  }

  /**
   * Flags that the variables of the environment switch on or off: `FEATURE_X=true`, `ENABLE_X=false`,
   * `NEXT_PUBLIC_FEATURE_X=1`, or those whose names begin with other prefixes.
   */
  static fromEnv<F extends AnyFlags = AnyFlags>(prefixes?: readonly string[] | null, options?: FlagsOptions | null): Flags<F> {
    return this.fromSource(environment(null, prefixes), options);
  }

  /** Flags that a source keeps fresh, as `sync` does; a function that gives a snapshot is a source too. */
  static fromSource<F extends AnyFlags = AnyFlags>(source: Source | Fetch, options?: SourceOptions | null): Flags<F> {
    const flags = new this<F>();
    flags.sync(source, options);
    return flags;
  }

  /**
   * Keeps the flags fresh from a source until the returned object is closed, or the flags are collected. It does not
   * keep the process alive.
   *
   * A bootstrap that is available synchronously (a file, the environment, a cached or bundled copy) is published before
   * this returns. With a `mapping` the source gives rows of a table with columns of its own, as with `mapped`.
   *
   * @throws TypeError for a value that is not a source, and Error if the flags already have a sync.
   */
  sync(source: Source | Fetch, options?: SourceOptions | null): Sync {
    const { mapping, guard, propose, ...rest } = options ?? {};
    // Before the source: a flag that has tripped is never on.
    this.#tracking.guard(this, { guard, propose, logger: rest.logger });
    return sync(this, read(source, mapping), rest);
  }

  /**
   * Reports what happened to a caller: that an event went well or ended in an error, how long it took, a value. The
   * guards that name the event count it for the arm that the caller is in. Call it where both arms pass, not inside the
   * `if` of the flag.
   *
   * ```js
   * flags.track('checkout', context, { error: true, durationMs: 812 });
   * ```
   *
   * It does no I/O and never throws. An outcome that cannot be used, such as one with a negative duration, counts as
   * `dropped` in `guards()`.
   */
  track(event: string, context?: Caller, outcome?: Outcome | null): void {
    this.#tracking.track(this, event, context, outcome);
  }

  /**
   * Does the work, and reports how long it took and whether it failed: an exception, or a rejection, is an error and is
   * thrown on. Returns what the work returns.
   *
   * ```js
   * const order = await flags.measure('checkout', context, async () => placeOrder(cart));
   * ```
   */
  measure<T>(event: string, context: Caller, work: () => T): T {
    return measured((outcome) => this.track(event, context, outcome), work);
  }

  /** How the guards are, as data and as `lines` for people; without guards it says why. */
  guards(): Guards {
    return this.#tracking.guards();
  }

  /**
   * Calls the listener with every outcome that is tracked here, such as to keep records of usage. Returns a function that
   * removes it. An error of a listener, or a rejection, is reported through `console.error`.
   */
  onTrack(listener: (tracked: Tracked) => unknown): () => void {
    return this.#tracking.listen(listener);
  }

  override free(): void {
    this.#tracking.free();
    super.free();
  }

  /** Where outcomes go. @internal */
  static trackingOf(flags: Flags): Tracking {
    return flags.#tracking;
  }

  /**
   * Waits up to `timeoutMs` milliseconds for the first good answer of the source; true if it came. Failures do not end
   * the wait. This wait keeps the process alive.
   *
   * @throws Error if the flags have no sync, as the three functions that follow.
   */
  ready(timeoutMs?: number): Promise<boolean> {
    return this.#sync().ready(timeoutMs);
  }

  /** Waits until anything is published, a cached or bundled copy too; true if something is. */
  available(timeoutMs?: number): Promise<boolean> {
    return this.#sync().available(timeoutMs);
  }

  /** The status of the sync; it does not wait. */
  status(): Status {
    return this.#sync().status();
  }

  /** Sends a request now. `await` it for the answer: null, or the reason why there is none within `timeoutMs`. Awaiting is optional. */
  refresh(timeoutMs?: number): PromiseLike<string | null> {
    return this.#sync().refresh(timeoutMs);
  }

  #sync(): Sync {
    const sync = syncOf(this);
    if (sync === undefined) {
      throw new Error('nothing keeps the flags fresh, expected `sync` or one of the `from…` functions before');
    }
    return sync;
  }
}

/** The source with a mapping, if there is one. */
function read(source: Source | Fetch, mapping: MappingLike | Stored | null | undefined): Source | Fetch {
  return mapping === null || mapping === undefined ? source : mapped(source, mapping);
}

function nativeOnly(): Extract<typeof loaded, { name: 'native' }> {
  if (loaded.name !== 'native') {
    throw new Error('flags can be shared among threads by the native engine alone, and this is the one in WebAssembly');
  }
  return loaded;
}
