/**
 * The answers behind one provider: from the engine if it has loaded, else from the projection.
 *
 * It knows no React. An answer is computed at most once for each change of the engine, the context or the projection,
 * and keeps its identity while its content is the same, so that React can skip a component.
 */
import type { CallerContext, FlagsLike, JsonValue, Projection } from './flags.js';
import type { PageOutcome, TrackerLike } from './track.js';

/** The answer of a flag, or undefined for the caller's default. */
export interface Answer {
  readonly enabled: boolean;
  readonly value: JsonValue;
  readonly variant: string | null;
}

/** The provider's props of each render; null counts as absent. */
export interface Given {
  context: CallerContext | null | undefined;
  projection: Projection | null | undefined;
  tracker: TrackerLike | null | undefined;
}

/** How long answers are kept without a publish: windows and schedules depend on the clock alone. */
export const REFRESH_MS = 60_000;

/** JavaScript's timers count milliseconds in 32 bits; a longer time means never. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** With these codes the engine does not have the flag, and a projection may have it. */
const NOT_HELD = ['PROVIDER_NOT_READY', 'FLAG_NOT_FOUND'];

/** With this code the caller is unknown: there is no answer, and the default is used [12.1]. */
const INVALID_CONTEXT = 'INVALID_CONTEXT';

export class Store {
  #given: Given;
  #contextContent: unknown;
  #projectionContent: unknown;
  #flags: FlagsLike | undefined;
  /** Whether the engine has a snapshot: cached, because calling the engine costs more than most answers. */
  #ready = false;
  #loading: Promise<FlagsLike> | undefined;
  #failed = false;
  #removed = new Set<string>();
  /** The projection of the server's render: hydration must see this, however late it happens. */
  readonly #first: Projection | undefined;
  /** The answers of that projection, each one object: React reads it twice, and compares by identity. */
  readonly #hydrated = new Map<string, Answer | undefined>();
  readonly #listeners = new Set<() => void>();
  /** Increased with each change, so that an older answer is recognized. */
  #change = 0;
  readonly #answers = new Map<string, { change: number; answer: Answer | undefined }>();

  constructor(given: Given, flags: FlagsLike | undefined) {
    this.#given = given;
    this.#contextContent = contentOf(given.context);
    this.#projectionContent = contentOf(given.projection);
    this.#first = given.projection ?? undefined;
    this.#flags = flags;
    this.#ready = flags?.isReady ?? false;
  }

  /** Calls the listener whenever an answer may have changed. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Reports an event to the tracker, if there is one. */
  readonly track = (event: string, outcome?: PageOutcome): void => {
    this.#given.tracker?.track(event, outcome);
  };

  /** Evaluates everything again. */
  readonly refresh = (): void => {
    this.#change += 1;
    this.#ready = this.#flags?.isReady ?? false;
    this.#listeners.forEach((listener) => listener());
  };

  /** Takes the provider's props; the same content again changes nothing. */
  give(given: Given): void {
    const context = contentOf(given.context);
    // A projection may be large, and is replaced rather than edited: the same object is not compared again.
    const same = given.projection === this.#given.projection;
    const projection = same ? this.#projectionContent : contentOf(given.projection);
    const newContext = context !== this.#contextContent;
    const newProjection = projection !== this.#projectionContent;
    this.#given = given;
    this.#contextContent = context;
    this.#projectionContent = projection;
    if (newProjection) this.#removed.clear();
    if (newContext || newProjection) this.refresh();
  }

  /** Answers from this engine, or from the projection alone. Returns a function that stops listening to the engine. */
  take(flags: FlagsLike | undefined, refreshMs: number): () => void {
    const changed = flags !== this.#flags;
    this.#flags = flags;
    this.#failed = false;
    if (changed) this.#removed.clear();
    // Even if it is the same: there may have been a publish between rendering and now.
    if (changed || flags) this.refresh();
    if (!flags) return () => {};
    const stop = flags.onPublish((report) => {
      // A flag that was removed from the snapshot must not reappear from an older projection.
      report.removed.forEach((key) => this.#removed.add(key));
      this.refresh();
    });
    const timer = refreshMs > 0 && refreshMs <= LONGEST_TIMER_MS ? setInterval(this.refresh, refreshMs) : undefined;
    return () => {
      stop();
      clearInterval(timer);
    };
  }

  /** Calls the function that loads the engine, once for the life of the provider. */
  load(loader: () => FlagsLike | PromiseLike<FlagsLike>): Promise<FlagsLike> {
    this.#loading ??= new Promise((resolve) => resolve(loader()));
    return this.#loading;
  }

  /** The engine could not be loaded: answers stay as they are. */
  fail(problem: unknown): void {
    this.#failed = true;
    console.error('esclusa: the flags of <EsclusaProvider> could not be loaded, the projection and the defaults stand:', problem);
    this.refresh();
  }

  /** Whether there is no source of answers yet. */
  isLoading(hydrating: boolean): boolean {
    if (hydrating && this.#first) return false;
    return !(this.#ready || this.#failed || this.#given.projection);
  }

  /** The answer for one flag. While hydrating it is what the server answered. */
  answer(key: string, hydrating: boolean): Answer | undefined {
    if (hydrating && this.#first) {
      if (!this.#hydrated.has(key)) this.#hydrated.set(key, projected(this.#first, key));
      return this.#hydrated.get(key);
    }
    const last = this.#answers.get(key);
    if (last?.change === this.#change) return last.answer;
    const now = this.#resolve(key);
    const before = last ? last.answer : this.#hydrated.get(key);
    const answer = JSON.stringify(now) === JSON.stringify(before) ? before : now;
    this.#answers.set(key, { change: this.#change, answer });
    return answer;
  }

  #resolve(key: string): Answer | undefined {
    const { context, projection } = this.#given;
    // Only a program without types gets here: the caller is unknown.
    if (context && typeof context !== 'object') return undefined;
    if (this.#flags && this.#ready) {
      const { enabled, value, variant, errorCode } = this.#flags.resolve(key, context);
      if (errorCode === INVALID_CONTEXT) return undefined;
      // With any other error the flag has an answer, and is off [12.2].
      if (errorCode === null || !NOT_HELD.includes(errorCode)) return { enabled, value, variant };
    }
    // A browser's engine has the flags marked `client`; a projection may have others.
    return projection && !this.#removed.has(key) ? projected(projection, key) : undefined;
  }
}

function projected(projection: Projection, key: string): Answer | undefined {
  const found = Object.prototype.hasOwnProperty.call(projection, key) ? projection[key] : undefined;
  return found && { enabled: found.enabled, value: found.value, variant: found.variant ?? null };
}

/** Identifies a context or projection: its JSON, or the object itself if JSON would hide a difference. */
function contentOf(value: object | null | undefined): unknown {
  if (!value) return null;
  if (typeof value !== 'object') return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !('toJSON' in value)) return value;
  try {
    return JSON.stringify(value, shown);
  } catch {
    return value;
  }
}

/** Values that the engine reads [12.5] and JSON alone would hide: elements of a set, whole numbers of any size, times in `toJSON`. */
function shown(_name: string, value: unknown): unknown {
  if (value instanceof Set) return [...(value as Set<unknown>)];
  // From a `toJSON`: a time in a field of its own is already a text.
  if (value instanceof Date) return value.toJSON();
  return typeof value === 'bigint' ? Number(value) : value;
}
