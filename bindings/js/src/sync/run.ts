/** The driver: sends requests when the protocol says so, and publishes the answers. */
import { Flags } from '../flags.js';
import type { MappedOptions } from '../mapping.js';
import type { Report } from '../types.js';
import { alarm, nextTurn } from './alarm.js';
import { type Taken, ask, begin, failureOf, mappedByOf, nameOf, polledOf, sourceOf, watch } from './asking.js';
import { areSame } from './bytes.js';
import { Log } from './log.js';
import { type SyncOptions, milliseconds, policyText } from './policy.js';
import { type Action, type Event, Protocol } from './protocol.js';
import { Refreshing } from './refreshing.js';
import { Failure, type Fetch, type News, type Source, type Stop } from './source.js';
import { type State, type Status, line } from './status.js';
import { understood } from './understood.js';

/** Number of violations of one snapshot that are logged one by one. */
const MAX_LOGGED = 10;

/** The pause after an unexpected error. */
const REST_MS = 1_000;

/** A timer that is this late was in a frozen process [11.26]. */
const SLACK_MS = 1_000;
const CLOSED = 'it is closed';

/** The progress of a source: none, something is published (1), or it has given a good answer (2). */
type Progress = 0 | 1 | 2;
const AVAILABLE = 1;
const READY = 2;

/** An event that arrived while a request was in progress. */
type Signal = 'refresh' | 'notified' | 'disconnected';

/** One source and one protocol. It holds the flags weakly, and ends when they are collected. */
export class Run {
  readonly name: string;
  readonly #reading: MappedOptions;
  isStopped = false;
  readonly #source: Source;
  readonly #flags: WeakRef<Flags>;
  readonly #protocol: Protocol;
  readonly #timeoutMs: number;
  readonly #log: Log;
  readonly #pending = new Set<Signal>();
  readonly #waiting = new Map<(reached: boolean) => void, Progress>();
  /** Number of requests so far, and the refreshes that await one of them. */
  #asks = 0;
  readonly #refreshing = new Refreshing();
  /** How long `ready` waits for an answer after a thaw, and the time after which the process counts as frozen. */
  readonly #thawMs: number;
  #thawsAt = Number.POSITIVE_INFINITY;
  /** After a thaw, the index of the answer that `ready` waits for. */
  #thawed: number | undefined;
  readonly #listeners = new Set<() => unknown>();
  /** The state that listeners know. */
  #known: State = 'starting';
  /** The fingerprint of the reading that was logged last. */
  #understood: string | undefined;
  /** How far the source has come. */
  #progress: Progress = 0;
  readonly #allowEmpty: boolean;
  /** When the protocol began, by the system clock; the times of errors are computed from it, so they never change. */
  readonly #beganAt: number;
  /** The copy that is current until the source answers. */
  #copy: Uint8Array | undefined;
  #asking: AbortController | undefined;
  #isBegun = false;
  #cancel: () => void = () => undefined;
  /** Ends the turn of the rest of the program early, once a refresh is awaited. */
  #hurry: (() => void) | undefined;
  #unwatch: Stop | undefined;
  /** Whether there are no notifications; they are started again with the next request. */
  #isDisconnected = true;

  constructor(flags: Flags, source: Source | Fetch, options: SyncOptions) {
    this.#source = sourceOf(source);
    this.name = nameOf(this.#source);
    this.#reading = { mapping: this.#source.translation };
    this.#timeoutMs = milliseconds('timeoutMs', options.timeoutMs, 30_000, 1);
    this.#thawMs = milliseconds('thawMs', options.thawMs, 0);
    this.#log = new Log(options.logger);
    this.#flags = new WeakRef(flags);
    this.#allowEmpty = options.allowEmpty === true;
    this.#protocol = new Protocol(policyText(options));
    this.#beganAt = Date.now();
    gone.register(flags, this, this);
    Flags.whenFreed(flags, this.stop);
  }

  /** Publishes the bootstrap, synchronously if it is available synchronously, and then sends the first request. */
  start(flags: Flags): void {
    globalThis.document?.addEventListener?.('visibilitychange', this.#act);
    try {
      const begun = begin(this.#source);
      if (begun instanceof Promise) {
        void within(begun, this.#timeoutMs).then((bytes) => this.#restore(bytes), this.#cannotBegin).then(this.#go);
        return;
      }
      if (begun !== undefined) {
        this.#fromCache(begun, flags.revision, Flags.swapNow(flags, begun, this.#reading));
      }
    } catch (problem) {
      this.#cannotBegin(problem);
    }
    // The caller may still register listeners before the first request.
    queueMicrotask(this.#go);
  }

  /** Ends the sync; a publish in progress completes. */
  readonly stop = (): void => {
    if (this.isStopped) {
      return;
    }
    this.isStopped = true;
    gone.unregister(this);
    globalThis.document?.removeEventListener?.('visibilitychange', this.#act);
    const flags = this.#flags.deref();
    if (flags !== undefined) {
      Flags.whenFreed(flags, undefined);
    }
    this.#cancel();
    this.#unwatch?.();
    this.#asking?.abort();
    for (const done of [...this.#waiting.keys()]) {
      done(false);
    }
    this.#refreshing.tell(this.#asks + 1, CLOSED);
    this.#tell();
  };

  /** Handles the event, or remembers it until the source has answered. */
  readonly signal = (signal: Signal): void => {
    this.#pending.add(signal);
    this.#act();
  };

  /** Sends a request now. Await it for the answer: null, or the reason why there is none within the time. Awaiting it keeps the process alive. */
  refresh(ms: number): PromiseLike<string | null> {
    // A pending answer may be from before this call.
    const answer = this.#refreshing.answer(this.#asks + 1, ms);
    if (this.isStopped) {
      this.#refreshing.tell(this.#asks + 1, CLOSED);
    }
    this.signal('refresh');
    this.#hurry?.();
    return answer;
  }

  /** Waits at most `ms` for the first good answer, and returns whether it came [11.15]; after a thaw for the next one. */
  async ready(ms: number): Promise<boolean> {
    this.#lookForThaw();
    if (this.#thawed !== undefined && !this.isStopped) {
      const wanted = this.#thawed;
      const answer = this.#refreshing.answer(wanted, Math.min(this.#thawMs, ms));
      if (wanted > this.#asks) {
        this.signal('refresh');
      }
      const why = await answer;
      if (this.#thawed === wanted && !this.isStopped) {
        // One wait is enough, and the status shows that it failed.
        this.#thawed = undefined;
        const error = `the process was frozen, and there was ${why} after that`;
        this.#protocol.step({ event: 'failure', error, retry_after_ms: null });
        this.#log.say('warn', `${this.name}: ${error}`);
        this.#tellState();
      }
    }
    return this.#reached(READY, ms);
  }

  /** Notes a timer that fired too late. */
  #lookForThaw(): void {
    if (this.#thawMs > 0 && Date.now() > this.#thawsAt) {
      this.#thawed ??= this.#asks + 1;
      this.#thawsAt = Number.POSITIVE_INFINITY;
    }
  }

  /** Waits at most `ms` until anything is published, and returns whether it is [11.15]. */
  available(ms: number): Promise<boolean> {
    return this.#flags.deref()?.isReady === true ? Promise.resolve(true) : this.#reached(AVAILABLE, ms);
  }

  #reached(wanted: Progress, ms: number): Promise<boolean> {
    const isReached = this.#progress >= wanted;
    if (isReached || this.isStopped || ms === 0) {
      return Promise.resolve(isReached);
    }
    this.#hurry?.();
    return new Promise((resolve) => {
      const done = (reached: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve(reached);
      };
      // This timer keeps the process alive, because a caller awaits it.
      const timer = setTimeout(done, ms, false);
      this.#waiting.set(done, wanted);
    });
  }

  status(): Status {
    const { state, revision, age_ms: ageMs, failures, last_error: last } = this.#protocol.status();
    const lastError = last && { error: last.error, at: new Date(this.#beganAt + last.at_ms) };
    return { state, source: this.name, revision, ageMs, failures, lastError, polled: polledOf(this.#source), mappedBy: mappedByOf(this.#source) };
  }

  /** Calls the listener after each change of the state, and at the end; its errors are logged. */
  onState(listener: () => unknown): () => void {
    const own = (): unknown => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  readonly #go = (): void => {
    this.#isBegun = true;
    this.#act();
  };

  readonly #act = (): void => {
    if (!this.#isBegun || this.isStopped || this.#asking !== undefined) {
      return;
    }
    if (this.#flags.deref() === undefined) {
      this.stop();
      return;
    }
    this.#cancel();
    this.#lookForThaw();
    for (const event of this.#pending) {
      this.#protocol.step({ event });
    }
    this.#pending.clear();
    const { ask, wait_ms: ms } = this.#protocol.step({ event: 'next' });
    // A hidden page sends no requests; what is due is sent when the page is shown again.
    if (globalThis.document?.visibilityState === 'hidden' && this.#protocol.status().state !== 'starting') {
      return;
    }
    this.#thawsAt = Date.now() + (ask === undefined ? ms : this.#timeoutMs) + SLACK_MS;
    if (ask === undefined) {
      this.#cancel = alarm(ms, this.#act);
    } else {
      void this.#ask(ask);
    }
  };

  async #ask({ etag, revision, in_full: inFull }: NonNullable<Action['ask']>): Promise<void> {
    const asking = (this.#asking = new AbortController());
    const asks = (this.#asks += 1);
    if (this.#isDisconnected) {
      this.#isDisconnected = false;
      this.#unwatch?.();
      this.#unwatch = watch(this.#source, this.#onNews, this.#onWatchFailed);
    }
    const asked = within(ask(this.#source, { etag, revision, inFull, allowEmpty: this.#allowEmpty, signal: asking.signal }), this.#timeoutMs);
    const answer = await asked.catch((problem: unknown) => {
      asking.abort();
      return failureOf(problem);
    });
    try {
      const flags = this.#flags.deref();
      if (flags !== undefined && !this.isStopped) {
        await this.#take(flags, answer);
      }
    } catch (problem) {
      this.#log.say('warn', `${this.name}: going on after ${failureOf(problem).message}`);
      await new Promise<void>((resolve) => alarm(REST_MS, resolve));
    }
    const { failures, last_error: last } = this.#protocol.status();
    if (this.#thawed !== undefined && asks >= this.#thawed) {
      this.#thawed = undefined;
    }
    this.#refreshing.tell(asks, failures === 0 ? null : (last?.error ?? null));
    await nextTurn((wanted) => {
      this.#hurry = wanted;
      if (this.#waiting.size > 0 || this.#refreshing.isWanted) {
        wanted();
      }
    });
    this.#hurry = undefined;
    this.#asking = undefined;
    this.#act();
  }

  readonly #onNews = (news: News): void => {
    this.#isDisconnected ||= news === 'disconnected';
    this.signal(news === 'disconnected' ? 'disconnected' : 'notified');
  };

  readonly #onWatchFailed = (failure: Failure): void => {
    this.#log.say('info', `${this.name}: it cannot tell of news: ${failure.message}`);
    this.#onNews('disconnected');
  };

  readonly #cannotBegin = (problem: unknown): void => {
    this.#log.say('warn', `${this.name}: a copy cannot be used: ${failureOf(problem).message}`);
  };

  async #take(flags: Flags, answer: Taken | Failure): Promise<void> {
    const before = this.#protocol.status().state;
    let published: Published | undefined;
    let event: Event;
    if (answer instanceof Failure) {
      await this.#restore(answer.instead as Uint8Array | null).catch(this.#cannotBegin);
      event = { event: 'failure', error: answer.message, retry_after_ms: answer.retryAfterMs };
    } else if ('esclusa' in answer || this.#protocol.isKnown(answer.bytes)) {
      event = { event: 'not_modified' };
    } else if (this.#copy !== undefined && areSame(this.#copy, answer.bytes)) {
      // The source confirms the bootstrap: it is fresh now, and listeners need not be called.
      event = { event: 'published', revision: flags.revision, etag: answer.etag };
    } else {
      try {
        published = await Flags.swap(flags, answer.bytes, this.#reading);
        const { outcome, revision } = published.report;
        const isOlder = outcome === 'older';
        event = isOlder ? { event: 'older', revision, current: flags.revision } : { event: 'published', revision, etag: answer.etag };
      } catch (problem) {
        if (this.isStopped) {
          // The flags were freed in the meantime.
          return;
        }
        event = { event: 'failure', error: failureOf(problem).message, retry_after_ms: null };
      }
    }
    if (event.event === 'published') {
      this.#copy = undefined;
    }
    this.#protocol.step(event);
    this.#say(before, published?.report);
    published?.tell();
    this.#reach(this.#protocol.status().age_ms === null ? this.#progress : READY);
    this.#tellState();
  }

  async #restore(bytes: Uint8Array | null | undefined): Promise<void> {
    const flags = this.#flags.deref();
    if (bytes === null || bytes === undefined || flags === undefined || this.isStopped) {
      return;
    }
    // Layers that fail often give the bootstrap again in place of an answer.
    if (this.#copy === undefined || !areSame(this.#copy, bytes)) {
      this.#fromCache(bytes, flags.revision, await Flags.swap(flags, bytes, this.#reading));
    }
  }

  /** Something other than an answer was published. */
  #fromCache(bytes: Uint8Array, before: number | null, published: Published): void {
    const { outcome, revision } = published.report;
    if (outcome === 'published') {
      this.#copy = bytes;
      this.#protocol.step({ event: 'from_cache', revision });
      this.#complain(published.report);
      published.tell();
      this.#reach(AVAILABLE);
      this.#tellState();
    } else {
      this.#log.say('debug', `${this.name}: a copy of revision ${revision} is older than the current one, ${before}`);
    }
  }

  #reach(progress: Progress): void {
    if (progress > this.#progress) {
      this.#progress = progress;
    }
    for (const [done, wanted] of [...this.#waiting]) {
      if (this.#progress >= wanted) {
        done(true);
      }
    }
  }

  #tellState(): void {
    const { state } = this.#protocol.status();
    if (state === this.#known) {
      return;
    }
    this.#known = state;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (problem) {
        this.#log.say('warn', `${this.name}: a listener of onState failed: ${failureOf(problem).message}`);
      }
    }
  }

  #say(before: State, report: Report | undefined): void {
    const status = this.status();
    if (report !== undefined) {
      this.#complain(report);
    }
    if (status.failures > 0) {
      this.#log.say('warn', line(status));
    } else {
      this.#log.say(status.state !== before || report !== undefined ? 'info' : 'debug', line(status));
    }
  }

  #complain({ violations, reading }: Report): void {
    // The reading is logged if it differs from the last one that was logged [11.24].
    if (reading.fingerprint !== this.#understood) {
      this.#understood = reading.fingerprint;
      const { text, isWarning } = understood(this.name, reading);
      this.#log.say(isWarning ? 'warn' : 'info', text);
    }
    for (const { code, problem } of reading.notices) {
      // A kill switch that matches no flag switches nothing off [13.14].
      if (code === 'unknown-switch') {
        this.#log.say('warn', `${this.name}: ${problem}`);
      }
    }
    for (const { place, problem } of violations.slice(0, MAX_LOGGED)) {
      this.#log.say('warn', `${this.name}: ${place}: ${problem}`);
    }
    if (violations.length > MAX_LOGGED) {
      this.#log.say('warn', `${this.name}: ${violations.length - MAX_LOGGED} more violations`);
    }
  }
}

/** A publish whose listeners are not called yet. */
type Published = Awaited<ReturnType<typeof Flags.swap>>;

/** Ends the sync when the flags are collected. */
const gone = new FinalizationRegistry<Run>((run) => run.stop());

/** The same promise, or a failure after the time; the promise's later result is ignored. */
function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = alarm(ms, () => reject(new Failure(`no answer within ${ms / 1000} s`)));
    promise.then(resolve, reject).finally(cancel);
  });
}
