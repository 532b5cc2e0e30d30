/** Resolutions as OpenFeature's providers give them [12.8]: what the server's and the web's provider share. */
import type { ErrorCode, EvaluationContext, FlagValue, JsonValue, ResolutionDetails } from '@openfeature/core';

import type { Report, Resolution } from './types.js';

/** What a provider asks of flags: those of `@esclusa/node` and of both builds of `@esclusa/wasm` fit. */
export interface ProviderFlags {
  /** Whether something was published. */
  readonly isReady: boolean;
  /** The answer for one flag. */
  resolve(key: string, context?: PlainCaller | null): Resolution;
  /** Calls the listener after each publish; the function that it returns ends that. */
  onPublish(listener: (report: Report) => void): () => void;
  /** Waits for the first good answer of the source that keeps the flags fresh; it throws if none does. */
  ready?(timeoutMs: number): Promise<boolean>;
  /** A context that is prepared for many answers. */
  prepare?(context: PlainCaller): PlainCaller;
}

type PlainCaller = { [attribute: string]: unknown } | { toJSON(): unknown };

/**
 * The caller of late. An SDK hands over a copy of the context with every question, and most questions are about the
 * same caller as the one before: from the second on, a context with the same fields is not read again.
 */
export class LateCaller {
  #names: string[] = [];
  #values: unknown[] = [];
  #prepared: PlainCaller | undefined;

  /** The context as it was given, or one that is prepared and says the same. */
  of(flags: ProviderFlags, context: EvaluationContext): PlainCaller {
    try {
      if (this.#isOf(context)) {
        return (this.#prepared ??= flags.prepare?.(context) ?? context);
      }
      this.#prepared = undefined;
      this.#names = Object.keys(context);
      this.#values = this.#names.map((name) => copied(context[name]));
    } catch {
      // It cannot be read, and the engine says so. Half of another caller is none.
      this.#names = [];
      this.#prepared = undefined;
    }
    return context;
  }

  /** Whether it has the names and values of late, and none from elsewhere. A list of its names would take longer. */
  #isOf(context: EvaluationContext): boolean {
    const [names, values] = [this.#names, this.#values];
    let at = 0;
    for (const name in context) {
      if (name !== names[at] || !hasOwn.call(context, name) || !isSame(values[at], context[name])) {
        return false;
      }
      at += 1;
    }
    return at === names.length;
  }
}

const hasOwn = Object.prototype.hasOwnProperty;

/** Whether a value says the same as before, and will for as long as it is the same. */
function isSame(known: unknown, value: unknown): boolean {
  if (typeof value !== 'object') {
    return value === known && typeof value !== 'function';
  }
  if (value === null || !Array.isArray(value)) {
    return value === null && known === null;
  }
  return Array.isArray(known) && known.length === value.length && known.every((element, at) => element === value[at] && isFixed(element));
}

const copied = (value: unknown): unknown => (Array.isArray(value) ? [...(value as unknown[])] : value);

const isFixed = (value: unknown): boolean => (typeof value !== 'object' && typeof value !== 'function') || value === null;

/** The answer for one flag as a provider gives it; a value of another type leaves the caller's default in place. */
export function details<T extends FlagValue>(
  flags: ProviderFlags,
  key: string,
  type: 'boolean' | 'string' | 'number' | 'object',
  otherwise: T,
  caller: PlainCaller,
): ResolutionDetails<T> {
  const { value, variant, reason, errorCode } = flags.resolve(key, caller);
  // JavaScript's own words for types are those that OpenFeature asks by; null is no value.
  const isFit = value !== null && typeof value === type;
  const served = isFit ? (value as JsonValue as T) : otherwise;
  if (errorCode === null && (isFit || value === null)) {
    return variant === null ? { value: served, reason } : { value: served, variant, reason };
  }
  if (errorCode === null) {
    const errorMessage = `\`${key}\` serves a ${Array.isArray(value) ? 'list' : typeof value}, expected a ${type}`;
    return { value: otherwise, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' as ErrorCode, errorMessage };
  }
  const problem = { errorCode: errorCode as ErrorCode, errorMessage: MESSAGES[errorCode](key) };
  return { value: served, ...(variant === null ? {} : { variant }), reason, ...problem };
}

const MESSAGES: { [code in NonNullable<Resolution['errorCode']>]: (key: string) => string } = {
  PROVIDER_NOT_READY: () => 'nothing is published yet',
  FLAG_NOT_FOUND: (key) => `there is no flag \`${key}\``,
  PARSE_ERROR: (key) => `the definition of \`${key}\` is broken, and there is no earlier one`,
  TARGETING_KEY_MISSING: (key) => `\`${key}\` is rolled out by a unit that the context does not have`,
  INVALID_CONTEXT: () => 'the context cannot be read, expected a plain object',
};

/** What a provider tells its SDK. */
export interface Told {
  /** The flags have changed: the keys whose answers may differ. */
  changed(flagsChanged: string[]): void;
  /** There are answers, after initialising has ended without any. */
  ready(): void;
  /** There are answers, but the source has not given a good one yet. */
  stale(): void;
}

/** How long initialising waits for the source's first good answer, unless the app says otherwise. */
export const INITIALIZATION_TIMEOUT_MS = 10_000;

/** What a provider hears of publishes from when an SDK initialises it until the SDK closes it; then it may begin again. */
export class Publishes {
  readonly #flags: ProviderFlags;
  readonly #told: Told;
  readonly #timeoutMs: number;
  #stop: (() => void) | undefined;
  /** Settles with the first publish. */
  #first: { promise: Promise<boolean>; end: (problem?: Error) => void } | undefined;
  /** Whether initialising has ended, and how. */
  #state: 'waiting' | 'failed' | 'ready' = 'waiting';

  constructor(flags: ProviderFlags, told: Told, timeoutMs: number = INITIALIZATION_TIMEOUT_MS) {
    this.#flags = flags;
    this.#told = told;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Listens from now on, and is done with the source's first good answer [11.15], or with the first publish where no
   * source keeps the flags fresh. When the time is over it is done if anything is published, and rejects otherwise; what
   * is published later is told.
   */
  async begin(): Promise<void> {
    this.#state = 'waiting';
    this.#stop ??= this.#flags.onPublish((report) => {
      if (!this.look() && this.#state === 'ready') {
        this.#told.changed([...report.added, ...report.removed, ...report.changed]);
      }
    });
    const isReady = await (this.#sourceIsReady() ?? this.#published());
    if (this.#stop === undefined) {
      throw new Error('the provider was closed before anything was published');
    }
    if (!this.#flags.isReady) {
      this.#state = 'failed';
      throw new Error(`nothing was published within ${this.#timeoutMs / 1000} s`);
    }
    this.#state = 'ready';
    if (!isReady) {
      this.#told.stale();
    }
  }

  /** Sees whether another thread has published; says whether this ended a wait. */
  look(): boolean {
    if (!this.#flags.isReady) {
      return false;
    }
    if (this.#state === 'failed') {
      this.#state = 'ready';
      this.#told.ready();
      return true;
    }
    const first = this.#first;
    first?.end();
    return first !== undefined || this.#state === 'waiting';
  }

  /** Listens no more; an SDK that still waits is told that nothing comes. */
  end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#first?.end(new Error('the provider was closed before anything was published'));
  }

  /** The wait for the source that keeps the flags fresh, if there is one. */
  #sourceIsReady(): Promise<boolean> | undefined {
    try {
      return this.#flags.ready?.(this.#timeoutMs);
    } catch {
      // Nothing keeps them fresh: they are published by hand.
      return undefined;
    }
  }

  #published(): Promise<boolean> {
    if (this.#flags.isReady) {
      return Promise.resolve(true);
    }
    let end: (problem?: Error) => void = () => undefined;
    const promise = new Promise<boolean>((resolve, reject) => {
      const timer = setTimeout(() => end(), this.#timeoutMs);
      end = (problem) => {
        clearTimeout(timer);
        this.#first = undefined;
        problem === undefined ? resolve(true) : reject(problem);
      };
    });
    this.#first = { promise, end };
    return promise;
  }
}
