/** Resolutions in the form of OpenFeature's providers [12.8]: shared by the server's and the web's provider. */
import type { ErrorCode, EvaluationContext, FlagMetadata, FlagValue, JsonValue, ResolutionDetails, TrackingEventDetails } from '@openfeature/core';

import type { ActiveSync } from './active-sync.js';
import type { Report, Resolution } from './types.js';

/** The flags that a provider needs: those of `@esclusa/node` and of all builds of `@esclusa/wasm` fit. */
export interface ProviderFlags {
  /** Whether something was published. */
  readonly isReady: boolean;
  /** The answer for one flag. */
  resolve(key: string, context?: PlainCaller | null): Resolution;
  /** Calls the listener after each publish. Returns a function that removes it. */
  onPublish(listener: (report: Report) => void): () => void;
  /** The sync that keeps the flags fresh, if there is one. */
  readonly activeSync?: ActiveSync | null;
  /** The answer for one flag, and the revision of the snapshot that it is from. */
  answer?(key: string, context?: PlainCaller | null): { resolution: Resolution; revision: number | null };
  /** A context that is prepared for many answers. */
  prepare?(context: PlainCaller): PlainCaller;
  /** Reports what happened to a caller, for guards. */
  track?(event: string, context: PlainCaller | null | undefined, outcome: { [field: string]: unknown }): void;
}

/** The options of a provider; `Hook` is its SDK's. */
export interface ProviderOptions<Hook> {
  /** Time limit of initialising, the wait for the source's first good answer; 10,000 milliseconds by default. */
  initializationTimeoutMs?: number | undefined;
  /** The id of the set of flags, in the metadata of every answer as `flagSetId`; the name of the source by default. */
  flagSetId?: string | undefined;
  /** Called with what the app tracks by `client.track(name, context, details)`: the context as the SDK has merged it. */
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

export type PlainCaller = { [attribute: string]: unknown } | { toJSON(): unknown };

/**
 * The context of the last evaluation. An SDK passes a copy of the context with every evaluation, mostly for the same
 * caller as before: a context with the same fields is read only twice, and then reused.
 */
export class LastContext {
  #names: string[] = [];
  #values: unknown[] = [];
  #prepared: PlainCaller | undefined;

  /** The context as it was given, or an equal one that is prepared. */
  of(flags: ProviderFlags, context: EvaluationContext): PlainCaller {
    try {
      if (this.#isOf(context)) {
        return (this.#prepared ??= flags.prepare?.(context) ?? context);
      }
      this.#prepared = undefined;
      this.#names = Object.keys(context);
      this.#values = this.#names.map((name) => copied(context[name]));
    } catch {
      // It cannot be read, as the engine reports. Half of a context is not stored.
      this.#names = [];
      this.#prepared = undefined;
    }
    return context;
  }

  /** Whether it has the names and values of the last context, and no inherited ones. A list of its names would take longer. */
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

/** Whether a value equals the one before, and cannot change in place. */
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

/** The answer for one flag in a provider's form; with a value of another type it is the caller's default. */
export function details<T extends FlagValue>(
  flags: ProviderFlags,
  key: string,
  type: 'boolean' | 'string' | 'number' | 'object',
  defaultValue: T,
  caller: PlainCaller,
  flagSetId?: string,
): ResolutionDetails<T> {
  const { resolution, revision } = flags.answer?.(key, caller) ?? { resolution: flags.resolve(key, caller), revision: null };
  const { value, variant, reason, errorCode } = resolution;
  const known = revision === null && flagSetId === undefined ? {} : { flagMetadata: metadata(revision, flagSetId) };
  // OpenFeature uses JavaScript's own names of types; null is not a value.
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

/** The metadata of the snapshot; telemetry reads `flagSetId` and `version`. A new object, because an app may keep and change it. */
function metadata(revision: number | null, flagSetId: string | undefined): FlagMetadata {
  const known: FlagMetadata = revision === null ? {} : { revision, version: String(revision) };
  if (flagSetId !== undefined) {
    known['flagSetId'] = flagSetId;
  }
  return known;
}

const MESSAGES: { [code in NonNullable<Resolution['errorCode']>]: (key: string) => string } = {
  PROVIDER_NOT_READY: () => 'nothing is published yet',
  FLAG_NOT_FOUND: (key) => `there is no flag \`${key}\``,
  PARSE_ERROR: (key) => `the definition of \`${key}\` is broken, and there is no earlier one`,
  TARGETING_KEY_MISSING: (key) => `\`${key}\` is rolled out by a unit that the context does not have`,
  INVALID_CONTEXT: (key) =>
    `the context cannot be read, expected a plain object, or a value in it is too large for the conditions of \`${key}\``,
};
