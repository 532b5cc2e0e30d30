/** Resolutions as OpenFeature's providers give them [12.8]: what the server's and the web's provider share. */
import type { ErrorCode, EvaluationContext, FlagMetadata, FlagValue, JsonValue, ResolutionDetails, TrackingEventDetails } from '@openfeature/core';

import type { ActiveSync } from './active-sync.js';
import type { Report, Resolution } from './types.js';

/** What a provider asks of flags: those of `@esclusa/node` and of all builds of `@esclusa/wasm` fit. */
export interface ProviderFlags {
  /** Whether something was published. */
  readonly isReady: boolean;
  /** The answer for one flag. */
  resolve(key: string, context?: PlainCaller | null): Resolution;
  /** Calls the listener after each publish; the function that it returns ends that. */
  onPublish(listener: (report: Report) => void): () => void;
  /** What keeps the flags fresh, if anything does. */
  readonly activeSync?: ActiveSync | null;
  /** The answer for one flag, and the revision of the snapshot that it is from. */
  answer?(key: string, context?: PlainCaller | null): { resolution: Resolution; revision: number | null };
  /** A context that is prepared for many answers. */
  prepare?(context: PlainCaller): PlainCaller;
}

/** What an app may say to a provider; `Hook` is its SDK's. */
export interface ProviderOptions<Hook> {
  /** How long initialising waits for the source's first good answer; 10,000 milliseconds. */
  initializationTimeoutMs?: number | undefined;
  /**
   * Is given what the app tracks by `client.track(name, context, details)`: the context as the SDK has merged it. Without
   * it tracking does nothing, as the SDK says at the level `debug`.
   */
  onTrack?: ((name: string, context: EvaluationContext, details: TrackingEventDetails) => void) | undefined;
  /** Hooks of the provider, which the SDK runs at every evaluation that it answers. */
  hooks?: Hook[] | undefined;
}

/** @throws TypeError if these are no flags. */
export function flagsOf(flags: ProviderFlags): ProviderFlags {
  const { resolve, onPublish } = (flags ?? {}) as Partial<ProviderFlags>;
  if (typeof resolve !== 'function' || typeof onPublish !== 'function') {
    throw new TypeError('a provider needs flags, expected `new Flags()` of @esclusa/node or @esclusa/wasm');
  }
  return flags;
}

type PlainCaller = { [attribute: string]: unknown } | { toJSON(): unknown };

/**
 * The caller of late. An SDK hands over a copy of the context with every question, and most questions are about the
 * same caller as the one before: from the second on, a context with the same fields is not read again.
 */
export class LastContext {
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
  defaultValue: T,
  caller: PlainCaller,
): ResolutionDetails<T> {
  const { resolution, revision } = flags.answer?.(key, caller) ?? { resolution: flags.resolve(key, caller), revision: null };
  const { value, variant, reason, errorCode } = resolution;
  const known = revision === null ? {} : { flagMetadata: metadata(revision) };
  // JavaScript's own words for types are those that OpenFeature asks by; null is no value.
  const isFit = value !== null && typeof value === type;
  const served = isFit ? (value as JsonValue as T) : defaultValue;
  if (errorCode === null && (isFit || value === null)) {
    return variant === null ? { value: served, reason, ...known } : { value: served, variant, reason, ...known };
  }
  if (errorCode === null) {
    const errorMessage = `\`${key}\` serves ${named(Array.isArray(value) ? 'list' : typeof value)}, expected ${named(type)}`;
    return { value: defaultValue, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' as ErrorCode, errorMessage, ...known };
  }
  const problem = { errorCode: errorCode as ErrorCode, errorMessage: MESSAGES[errorCode](key) };
  return { value: served, ...(variant === null ? {} : { variant }), reason, ...problem, ...known };
}

const named = (kind: string): string => `${kind === 'object' ? 'an' : 'a'} ${kind}`;

/** What is known of the snapshot; telemetry reads `version`. An app may keep what it is given, and change it. */
const metadata = (revision: number): FlagMetadata => ({ revision, version: String(revision) });

const MESSAGES: { [code in NonNullable<Resolution['errorCode']>]: (key: string) => string } = {
  PROVIDER_NOT_READY: () => 'nothing is published yet',
  FLAG_NOT_FOUND: (key) => `there is no flag \`${key}\``,
  PARSE_ERROR: (key) => `the definition of \`${key}\` is broken, and there is no earlier one`,
  TARGETING_KEY_MISSING: (key) => `\`${key}\` is rolled out by a unit that the context does not have`,
  INVALID_CONTEXT: (key) =>
    `the context cannot be read, expected a plain object, or a value in it is too large for the conditions of \`${key}\``,
};
