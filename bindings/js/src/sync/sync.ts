/** The handle of a sync, for the app. */
import type { ActiveSync } from '../active-sync.js';
import { Flags } from '../flags.js';
import { inspected } from '../inspected.js';
import { MAX_WAIT_MS } from './alarm.js';
import { type SyncOptions, milliseconds } from './policy.js';
import { Run } from './run.js';
import type { Fetch, Source } from './source.js';
import type { Status } from './status.js';

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** A source that keeps flags fresh, until it is closed or the flags are collected. The published flags stay. */
export class Sync implements ActiveSync {
  readonly #run: Run;

  /** Made by `sync`. @internal */
  constructor(run: Run) {
    this.#run = run;
  }

  /**
   * Waits up to `timeoutMs` milliseconds for the first good answer of the source; true if it came. Failures do not end
   * the wait. Only this wait keeps a Node process alive; a sync does not.
   */
  ready(timeoutMs: number = 10_000): Promise<boolean> {
    return this.#run.ready(waitMs(timeoutMs));
  }

  /** Waits until anything is published, a cached or bundled copy too; true if something is. */
  available(timeoutMs: number = 10_000): Promise<boolean> {
    return this.#run.available(waitMs(timeoutMs));
  }

  /** The status now; it does not wait. */
  status(): Status {
    return this.#run.status();
  }

  /** Calls the listener after each change of `status().state`, and when this is closed. Returns a function that removes the listener. */
  onState(listener: () => unknown): () => void {
    return this.#run.onState(listener);
  }

  /** Sends a request now. `await` it for the answer: null, or the reason why there is none within `timeoutMs`. Awaiting is optional. */
  refresh(timeoutMs: number = 10_000): PromiseLike<string | null> {
    return this.#run.refresh(waitMs(timeoutMs));
  }

  /** Whether it has ended. */
  get isClosed(): boolean {
    return this.#run.isStopped;
  }

  /** Ends it. It may be called again. */
  close(): void {
    this.#run.stop();
  }

  /** The same as `close()`, for `using`. */
  [dispose](): void {
    this.close();
  }

  /** What the console shows of it. */
  [inspected](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return `Sync ${inspect({ ...this.status(), isClosed: this.isClosed }, options)}`;
  }
}

function waitMs(given: number): number {
  return given === Number.POSITIVE_INFINITY ? MAX_WAIT_MS : Math.min(milliseconds('timeoutMs', given, 0), MAX_WAIT_MS);
}

/**
 * Keeps flags fresh from a source, or from a function that gives a snapshot. It returns at once; `ready` waits for the
 * first good answer. A bootstrap that is available synchronously, such as a bundled snapshot, is published before it
 * returns.
 *
 * @throws TypeError for a value that is not a source, and Error if the flags already have a sync.
 */
export function sync(flags: Flags, source: Source | Fetch, options?: SyncOptions | null): Sync {
  const before = syncOf(flags);
  if (before !== undefined && !before.isClosed) {
    throw new Error(`the flags are kept fresh already, from ${before.status().source}: close that first`);
  }
  const run = new Run(flags, source, options ?? {});
  const made = new Sync(run);
  Flags.keep(flags, made);
  run.start(flags);
  return made;
}

/** The sync that keeps the flags fresh, or did so last. */
export function syncOf(flags: Flags): Sync | undefined {
  return Flags.syncOf(flags) as Sync | undefined;
}
