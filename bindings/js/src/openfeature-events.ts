/** When a provider is ready, and which events it sends its SDK after that: shared by the server's and the web's provider. */
import type { ActiveSync } from './active-sync.js';
import type { ProviderFlags } from './openfeature.js';

/** Sends an event to the SDK. */
export interface Emit {
  /** The flags have changed: the keys whose answers may differ. */
  (event: 'changed', details: { flagsChanged: string[] }): void;
  /** There are answers of a healthy source again. */
  (event: 'ready', details: Record<string, never>): void;
  /** There are answers, but the source has not given a good one yet, or fails; or there are no answers any more. */
  (event: 'stale' | 'error', details: { message: string }): void;
}

/** Default time limit of initialising: the wait for the source's first good answer. */
const INITIALIZATION_TIMEOUT_MS = 10_000;

/** A provider between `initialize` and `onClose`: it listens to the flags and reports their state to the SDK. It may be initialised again. */
export class ProviderLife {
  readonly #flags: ProviderFlags;
  readonly #emit: Emit;
  readonly #timeoutMs: number;
  #stop: (() => void) | undefined;
  /** The sync whose state is observed, and a function that ends that. */
  #observed: { sync: ActiveSync; stop: () => void } | undefined;
  /** Ends the wait for the first publish. */
  #first: (() => void) | undefined;
  /** Makes initialising fail, because the SDK closes the provider. */
  #close: () => void = () => undefined;
  /** The state that the SDK knows. */
  #state: 'waiting' | 'failed' | 'ready' | 'stale' | 'lost' = 'waiting';

  constructor(flags: ProviderFlags, emit: Emit, timeoutMs: number = INITIALIZATION_TIMEOUT_MS) {
    this.#flags = flags;
    this.#emit = emit;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Listens from now on, and resolves with the source's first good answer [11.15], or with the first publish if no
   * source keeps the flags fresh. At the end of the time it resolves if anything is published, and rejects otherwise; a
   * later publish is emitted as an event.
   */
  async begin(): Promise<void> {
    this.#state = 'waiting';
    this.#stop ??= this.#flags.onPublish((report) => {
      const isNews = this.#state === 'ready' || this.#state === 'stale';
      this.look();
      if (isNews) {
        this.#emit('changed', { flagsChanged: [...report.added, ...report.removed, ...report.changed] });
      }
    });
    this.#observe();
    const closed = new Promise<never>((_, reject) => {
      this.#close = () => reject(new Error('the provider was closed before anything was published'));
    });
    await Promise.race([this.#flags.activeSync?.ready(this.#timeoutMs) ?? this.#published(), closed]);
    if (!this.#flags.isReady) {
      this.#state = 'failed';
      throw this.#failure();
    }
    this.#state = 'ready';
    // An event emitted now would arrive before the SDK reports that the provider is ready.
    setTimeout(this.#compare, 0);
  }

  /** Checks whether anything is published, by another thread too; true if the wait is over. */
  look(): boolean {
    this.#observe();
    if (!this.#flags.isReady) {
      return this.#stop === undefined;
    }
    this.#first?.();
    if (this.#state === 'failed' || this.#state === 'lost') {
      this.#state = 'ready';
      this.#emit('ready', {});
    }
    this.#compare();
    return this.#state !== 'waiting';
  }

  /** Stops listening; an initialisation that is still waiting fails. */
  end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#observed?.stop();
    this.#observed = undefined;
    this.#close();
    this.#first?.();
  }

  /** Listens to what keeps the flags fresh now. */
  #observe(): void {
    const sync = this.#flags.activeSync ?? undefined;
    if (sync !== undefined && sync !== this.#observed?.sync && this.#stop !== undefined) {
      this.#observed?.stop();
      this.#observed = { sync, stop: sync.onState(this.#compare) };
    }
  }

  /** Sends the SDK the state of the source, if it has changed. */
  readonly #compare = (): void => {
    if (this.#stop === undefined || (this.#state !== 'ready' && this.#state !== 'stale')) {
      return;
    }
    const problem = this.#problem();
    if (!this.#flags.isReady) {
      this.#state = 'lost';
      this.#emit('error', { message: 'nothing is published any more: the flags were freed' });
    } else if (problem === undefined && this.#state === 'stale') {
      this.#state = 'ready';
      this.#emit('ready', {});
    } else if (problem !== undefined && this.#state === 'ready') {
      this.#state = 'stale';
      this.#emit('stale', { message: problem });
    }
  };

  /** Why the flags may be outdated; undefined if they are fresh. */
  #problem(): string | undefined {
    const sync = this.#observed?.sync;
    if (sync === undefined) {
      return undefined;
    }
    if (sync.isClosed) {
      return 'nothing keeps the flags fresh any more';
    }
    const { state, lastError } = sync.status();
    if (state === 'fresh') {
      return undefined;
    }
    const why = lastError === null ? '' : `: ${lastError.error}`;
    return state === 'failing' ? `the source fails${why}` : `the source has not answered lately; the flags are from before${why}`;
  }

  /** Why initialising failed: fatal if the sync has ended. */
  #failure(): Error {
    if (this.#observed?.sync.isClosed === true) {
      return Object.assign(new Error('nothing is published, and nothing keeps the flags fresh any more'), { code: 'PROVIDER_FATAL' });
    }
    const why = this.#observed?.sync.status().lastError?.error;
    return new Error(`nothing was published within ${this.#timeoutMs / 1000} s${why === undefined ? '' : `: ${why}`}`);
  }

  /** Waits for the first publish, or for the end of the time. */
  #published(): Promise<void> {
    if (this.#flags.isReady) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#first?.(), this.#timeoutMs);
      this.#first = () => {
        clearTimeout(timer);
        this.#first = undefined;
        resolve();
      };
    });
  }
}
