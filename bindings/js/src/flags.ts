/// <reference lib="esnext.disposable" preserve="true" />
/** The handle that an app holds: it keeps numbers, calls the engine, and turns JSON into objects. */
import type { ActiveSync } from './active-sync.js';
import { Context, BROKEN, numberOf } from './context.js';
import { type Engine, NOBODY, NOT_READY, NO_OUTCOME, build, engine } from './engine.js';
import { explanationFrom, unexplained } from './explanation.js';
import { inspected } from './inspected.js';
import { Listeners } from './listeners.js';
import { moment } from './moment.js';
import { type Outcome, type WireResolution, none, outcome, projected, resolutionFrom, resolutionOf, valueOf } from './outcome.js';
import { type Snapshot, bytesOf, reportFrom, viewOf } from './publication.js';
import type { AnyFlags, ContextFields, Explanation, KeyOf, PlainContext, Projection, PublishOptions, Report, Resolution, ValueOf, VariantOf, Violation } from './types.js';

/** The caller: a `Context`, a plain object, or nothing for an anonymous caller. */
export type Caller = Context | PlainContext | ContextFields | null | undefined;
/** A point in time: a Date, or milliseconds since 1970-01-01; without it, now. */
export type Moment = Date | number | null | undefined;

interface About {
  ready: boolean;
  revision: number | null;
  generated_at: number | null;
  size: number;
  violations: Violation[];
}

/** The number of flags that the engine does not hold. */
const UNOPENED = 0xffff_ffff;
const NOTHING: About = { ready: false, revision: null, generated_at: null, size: 0, violations: [] };
const PROVIDER_NOT_READY = none('PROVIDER_NOT_READY');
const FLAG_NOT_FOUND = none('FLAG_NOT_FOUND');
const INVALID_CONTEXT = none('INVALID_CONTEXT');

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

const unused = new FinalizationRegistry<number>((number) => engine()?.close(number));

/**
 * The current flag set, and the answers that it gives. It answers defaults until something is published.
 *
 * ```js
 * const flags = new Flags();
 * await flags.publish(snapshot);
 * if (flags.isEnabled('crm_advanced_features', context)) { … }
 * ```
 *
 * With the type that `esclusa codegen typescript` writes, `new Flags<AppFlags>()` takes the keys of that type alone, and
 * values have their types.
 */
export class Flags<F extends AnyFlags = AnyFlags> {
  #engine: Engine | undefined;
  #number = UNOPENED;
  /** Slots of keys; only keys of existing flags are stored. */
  readonly #slots = new Map<string, number>();
  readonly #outcomes = new Map<number, Outcome>();
  /** The number of the first outcome of the set that answered last. */
  #firstOutcome = 0;
  /** The revision of that set. */
  #answered: number | null = null;
  readonly #listeners = new Listeners();
  #sync: ActiveSync | undefined;
  /** Ends what keeps the flags fresh, when they are freed. */
  #onFree: (() => void) | undefined;
  /** How often the flags were freed: an operation that was started before is then ignored. */
  #lives = 0;
  /** Settles when every pending publish is done. */
  #publishing: Promise<unknown> = Promise.resolve();

  /**
   * Makes a snapshot the current one, and returns the report; a refused one throws a `SnapshotError`.
   *
   * It does not wait: a snapshot that was given to `publish` before may become current after this one.
   */
  publishSync(snapshot: Snapshot, options?: PublishOptions | null): Report {
    return this.#published(this.#compiled(snapshot, options));
  }

  /**
   * The same, compiled off the event loop where the engine can do that. Snapshots become current in the order in which
   * they were given to this function.
   *
   * @throws SnapshotError (as a rejection) if the snapshot is refused.
   */
  async publish(snapshot: Snapshot, options?: PublishOptions | null): Promise<Report> {
    return this.#published(await this.#compiledLater(snapshot, options));
  }

  #compiled(snapshot: Snapshot, options?: PublishOptions | null): string {
    const bytes = bytesOf(snapshot);
    return this.#open().publish(this.#number, bytes, options);
  }

  async #compiledLater(snapshot: Snapshot, options?: PublishOptions | null): Promise<string> {
    const engine = this.#open();
    const given = bytesOf(snapshot);
    // The engine reads the bytes after this call returns. A Buffer's own `slice` would copy nothing.
    const bytes = viewOf(snapshot) === undefined ? given : new Uint8Array(given);
    const chosen = { ...options };
    const lives = this.#lives;
    const begin = (): Promise<string> | string => {
      if (lives !== this.#lives) {
        return '';
      }
      // An engine that compiles on this thread also does so in order, so that `free()` means the same with each.
      return (engine.publishLater ?? engine.publish)(this.#number, bytes, chosen);
    };
    const said = this.#publishing.then(begin);
    this.#publishing = said.catch(() => undefined);
    const answer = await said;
    return lives === this.#lives ? answer : '';
  }

  /** A plain object as a context that is prepared for many answers: the same as `Context.from`. */
  prepare(context?: Caller): Context {
    return Context.from(context);
  }

  /** Whether the flag is on for this caller, now. It never throws; without an answer it returns the default [12.1]. */
  isEnabled(key: KeyOf<F>, context?: Caller, defaultValue: boolean = false): boolean {
    const slot = this.#slots.get(key);
    if (slot !== undefined && Context.is(context) && defaultValue === false) {
      const engine = this.#engine as Engine;
      // The number of an unusable context names nothing, so the flag is off.
      return engine.isEnabled(this.#number, slot, Context.numberOf(context, engine));
    }
    const outcome = this.#outcome(key, context, Number.NaN);
    return outcome.answered ? outcome.enabled : defaultValue;
  }

  /** The value that the flag serves, on or off. It never throws; without an answer it returns the default [12.1]. */
  value<K extends KeyOf<F>, const T = null>(key: K, context?: Caller, defaultValue: T = null as T): ValueOf<F, K> | T {
    const outcome = this.#outcome(key, context, Number.NaN);
    return outcome.answered ? (valueOf(outcome) as ValueOf<F, K>) : defaultValue;
  }

  /** The variant that the flag serves, null for none. It never throws; without an answer it returns the default [12.1]. */
  variant<K extends KeyOf<F>, const T = null>(key: K, context?: Caller, defaultValue: T = null as T): VariantOf<F, K> | T {
    const outcome = this.#outcome(key, context, Number.NaN);
    return outcome.answered ? (outcome.variant as VariantOf<F, K>) : defaultValue;
  }

  /** The answer for one flag, with its reason [7.18]. */
  resolve(key: KeyOf<F>, context?: Caller, now?: Moment): Resolution {
    return resolutionOf(this.#outcome(key, context, moment(now)));
  }

  /** The same with the revision of its snapshot, if there is an answer and a revision. @internal */
  answer(key: string, context?: Caller): { resolution: Resolution; revision: number | null } {
    const outcome = this.#outcome(key, context, Number.NaN);
    return { resolution: resolutionOf(outcome), revision: outcome.answered ? this.#answered : null };
  }

  /** The answers of all flags, by key. */
  resolveAll(context?: Caller, now?: Moment): { [key: string]: Resolution } {
    const [milliseconds, engine] = [moment(now), this.#engine];
    if (engine === undefined) {
      return {};
    }
    const number = numberOf(context, engine);
    if (number === BROKEN) {
      return Object.fromEntries(this.keys().map((key) => [key, resolutionOf(INVALID_CONTEXT)]));
    }
    if (engine.resolveAll === undefined) {
      const time = engine.time?.(milliseconds) ?? milliseconds;
      return Object.fromEntries(this.keys().map((key) => [key, resolutionOf(this.#asked(engine, key, number, time))]));
    }
    const said = JSON.parse(engine.resolveAll(this.#number, number, milliseconds)) as { [key: string]: WireResolution };
    return Object.fromEntries(Object.entries(said).map(([key, wire]) => [key, resolutionFrom(wire)]));
  }

  /** The answer for one flag with every step that led to it [10.1]. */
  explain(key: KeyOf<F>, context?: Caller, now?: Moment): Explanation {
    const [milliseconds, engine] = [moment(now), this.#engine];
    const text: string = typeof key === 'string' ? key : '';
    if (engine === undefined) {
      return unexplained(text, PROVIDER_NOT_READY, 'nothing is published yet\n  serves null (ERROR, PROVIDER_NOT_READY)');
    }
    const number = numberOf(context, engine);
    if (number === BROKEN && this.has(text)) {
      return unexplained(text, INVALID_CONTEXT, 'the context cannot be read, expected a plain object\n  serves null (ERROR, INVALID_CONTEXT)');
    }
    const caller = number === BROKEN ? NOBODY : number;
    if (engine.explain === undefined) {
      return unexplained(text, this.#asked(engine, text, caller, milliseconds), 'this build leaves explanations out, expected @esclusa/wasm/full');
    }
    return explanationFrom(engine.explain(this.#number, text, caller, milliseconds));
  }

  /** The values of the chosen flags, or of all, without reasons: what a server may send to a browser [10.2]. */
  project(context?: Caller, keys?: Iterable<KeyOf<F>> | null, now?: Moment): Projection {
    const [milliseconds, chosen, engine] = [moment(now), keysText(keys), this.#engine];
    const number = engine === undefined ? BROKEN : numberOf(context, engine);
    // Without a context there is no answer.
    if (engine === undefined || number === BROKEN) {
      return {};
    }
    if (engine.project === undefined) {
      const time = engine.time?.(milliseconds) ?? milliseconds;
      const sorted = [...new Set(chosen === '' ? this.keys() : (JSON.parse(chosen) as string[]))].sort();
      const outcomes = sorted.map((key) => [key, this.#asked(engine, key, number, time)] as const);
      return Object.fromEntries(outcomes.filter(([, { answered }]) => answered).map(([key, outcome]) => [key, projected(outcome)]));
    }
    return JSON.parse(engine.project(this.#number, chosen, number, milliseconds)) as Projection;
  }

  /**
   * A snapshot for the browser of this caller, as JSON [10.3]: those of the chosen flags, or of all, that are marked
   * `client`; none for a caller whose context cannot be read [12.3].
   *
   * @throws Error in the small build of `@esclusa/wasm`, which cannot write client snapshots [10.7].
   */
  clientSnapshot(context?: Caller, keys?: Iterable<KeyOf<F>> | null, now?: Moment): string {
    if (!build.clientSnapshots) {
      throw new Error('this build leaves client snapshots out, expected @esclusa/wasm/full');
    }
    const [milliseconds, chosen, engine] = [moment(now), keysText(keys), this.#engine];
    if (engine?.clientSnapshot === undefined) {
      return '{"esclusa":1,"flags":[]}';
    }
    const number = numberOf(context, engine);
    const [caller, sent] = number === BROKEN ? [NOBODY, '[]'] : [number, chosen];
    return engine.clientSnapshot(this.#number, sent, caller, milliseconds);
  }

  /** The sync that keeps the flags fresh; null if there is none. */
  get activeSync(): ActiveSync | null {
    return this.#sync?.isClosed === false ? this.#sync : null;
  }

  /** The keys of all flags, in the order of the snapshot. */
  keys(): string[] {
    return this.#engine === undefined ? [] : (JSON.parse(this.#engine.keys(this.#number)) as string[]);
  }

  /** Whether there is a flag of this key. */
  has(key: string): boolean {
    return this.#outcome(key, null, 0).answered;
  }

  /** Number of flags. */
  get size(): number {
    return this.#about().size;
  }

  /** Whether something was published. */
  get isReady(): boolean {
    return this.#about().ready;
  }

  /** The revision of the current snapshot, if it has one. */
  get revision(): number | null {
    return this.#about().revision;
  }

  /** When the store made the current snapshot, if it has that time. */
  get generatedAt(): Date | null {
    const milliseconds = this.#about().generated_at;
    return milliseconds === null ? null : new Date(milliseconds);
  }

  /** All violations of the current snapshot. */
  get violations(): Violation[] {
    return this.#about().violations;
  }

  /**
   * Calls the listener after each snapshot that this handle publishes. Returns a function that removes it. An error of
   * a listener, or a rejection, is reported through `console.error`.
   */
  onPublish(listener: (report: Report) => unknown): () => void {
    return this.#listeners.add(listener);
  }

  /** Frees what the engine holds, without waiting for the garbage collector; afterwards nothing is published. */
  free(): void {
    if (this.#number !== UNOPENED) {
      this.#engine?.close(this.#number);
      unused.unregister(this);
    }
    this.#lives += 1;
    this.#engine = undefined;
    this.#number = UNOPENED;
    this.#slots.clear();
    this.#outcomes.clear();
    this.#onFree?.();
  }

  /** The same as `free()`, for `using`. */
  [dispose](): void {
    this.free();
  }

  /** What the console shows of it. */
  [inspected](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { ready: isReady, size, revision } = this.#about();
    return `${this.constructor.name} ${inspect({ isReady, size, revision }, options)}`;
  }

  /** Remembers the sync that keeps the flags fresh, or did so last. @internal */
  static keep(flags: Flags, sync: ActiveSync): void {
    flags.#sync = sync;
  }

  /** The sync that keeps the flags fresh, or did so last. @internal */
  static syncOf(flags: Flags): ActiveSync | undefined {
    return flags.#sync;
  }

  /** Takes over flags that the engine already holds. @internal */
  static adopt<T extends Flags>(flags: T, engine: Engine, number: number): T {
    flags.#engine = engine;
    flags.#number = number;
    unused.register(flags, number, flags);
    return flags;
  }

  /** The number of the flags in the engine, which holds them from now on. @internal */
  static numberOf(flags: Flags): number {
    flags.#open();
    return flags.#number;
  }

  #open(): Engine {
    if (this.#engine === undefined) {
      const loaded = engine();
      if (loaded === undefined) {
        throw new Error('the WebAssembly is not loaded, expected `await init()` before anything is published');
      }
      Flags.adopt(this, loaded, loaded.open());
      return loaded;
    }
    return this.#engine;
  }

  /** Publishes; the caller decides when listeners are called. @internal */
  static async swap(flags: Flags, snapshot: Snapshot, options?: PublishOptions): Promise<{ report: Report; tell: () => void }> {
    return flags.#swapped(await flags.#compiledLater(snapshot, options));
  }

  /** The same at once. @internal */
  static swapNow(flags: Flags, snapshot: Snapshot, options?: PublishOptions): { report: Report; tell: () => void } {
    return flags.#swapped(flags.#compiled(snapshot, options));
  }

  /** Calls the listeners with a report that the engine gives as JSON. @internal */
  static tell(flags: Flags, said: string): void {
    flags.#published(said);
  }

  /** Sets the function that is called when the flags are freed. @internal */
  static whenFreed(flags: Flags, call: (() => void) | undefined): void {
    flags.#onFree = call;
  }

  #swapped(said: string): { report: Report; tell: () => void } {
    const report = reportFrom(said);
    const lives = this.#lives;
    // Listeners of flags that were freed in the meantime are not called.
    const isNews = (): boolean => lives === this.#lives && report.outcome === 'published';
    return { report, tell: () => void (isNews() && this.#listeners.tell(report)) };
  }

  #published(said: string): Report {
    const { report, tell } = this.#swapped(said);
    tell();
    return report;
  }

  #about(): About {
    return this.#engine === undefined ? NOTHING : (JSON.parse(this.#engine.about(this.#number)) as About);
  }

  #outcome(key: string, context: Caller, now: number): Outcome {
    const engine = this.#engine;
    if (engine === undefined) {
      return PROVIDER_NOT_READY;
    }
    const slot = this.#slot(key, engine);
    if (slot < 0) {
      return absent(slot);
    }
    const number = numberOf(context, engine);
    if (number === BROKEN) {
      return this.#outcome(key, null, 0).answered ? INVALID_CONTEXT : FLAG_NOT_FOUND;
    }
    return this.#answer(engine, slot, number, now);
  }

  /** The same for a context that the engine holds. */
  #asked(engine: Engine, key: string, number: number, now: number): Outcome {
    const slot = this.#slot(key, engine);
    return slot < 0 ? absent(slot) : this.#answer(engine, slot, number, now);
  }

  #answer(engine: Engine, slot: number, number: number, now: number): Outcome {
    const outcome = engine.resolve(this.#number, slot, number, now);
    return this.#outcomes.get(outcome) ?? this.#takeOutcome(outcome, engine) ?? this.#again(engine, slot, number, now);
  }

  /** After an outcome was lost the engine gives all of them again; if there still is none, there is no answer. */
  #again(engine: Engine, slot: number, context: number, now: number): Outcome {
    const outcome = engine.resolve(this.#number, slot, context, now);
    return this.#takeOutcome(outcome, engine) ?? PROVIDER_NOT_READY;
  }

  #slot(key: string, engine: Engine): number {
    const known = this.#slots.get(key);
    if (known !== undefined) {
      return known;
    }
    // A key that is not a string names no flag, and neither does the empty one.
    const slot = engine.slot(this.#number, typeof key === 'string' ? key : '');
    if (slot >= 0) {
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** A new outcome; undefined if taking it was interrupted once, after which the engine gives all outcomes again. */
  #takeOutcome(number: number, engine: Engine): Outcome | undefined {
    const json = number === NO_OUTCOME ? '' : engine.takeOutcome(this.#number, number);
    if (json === '') {
      return undefined;
    }
    const wire = JSON.parse(json) as WireResolution & { first: number; revision: number | null };
    this.#answered = wire.revision;
    if (wire.first !== this.#firstOutcome) {
      this.#firstOutcome = wire.first;
      this.#outcomes.clear();
    }
    const taken = outcome(wire);
    this.#outcomes.set(number, taken);
    return taken;
  }
}

/** The answer when there is no slot. */
function absent(slot: number): Outcome {
  return slot === NOT_READY ? PROVIDER_NOT_READY : FLAG_NOT_FOUND;
}

function keysText(keys: Iterable<string> | null | undefined): string {
  if (keys === undefined || keys === null) {
    return '';
  }
  if (typeof keys === 'string' || typeof keys[Symbol.iterator] !== 'function') {
    throw new TypeError('`keys` is no list, expected the keys of the chosen flags');
  }
  return JSON.stringify([...keys].filter((key) => typeof key === 'string').map((key) => key.replace(/\p{Cs}/gu, '\ufffd')));
}
