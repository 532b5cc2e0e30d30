/** The provider for `@openfeature/web-sdk`. */
import {
  type EvaluationContext,
  type Hook,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/web-sdk';

import { ProviderLife } from '../../js/src/openfeature-events.js';
import { LastContext, type ProviderFlags, type ProviderOptions, details, flagsOf } from '../../js/src/openfeature.js';

export type { ProviderFlags, ProviderOptions } from '../../js/src/openfeature.js';

/** The options of the provider for the web. */
export interface WebProviderOptions extends ProviderOptions<Hook> {
  /** Sends what the app tracks to the app's server: a `PageTracker` of `@esclusa/wasm/track`. */
  tracker?: { track(event: string, outcome: { [field: string]: unknown }): void } | undefined;
}

const EVENTS = {
  changed: ProviderEvents.ConfigurationChanged,
  ready: ProviderEvents.Ready,
  stale: ProviderEvents.Stale,
  error: ProviderEvents.Error,
} as const;

/**
 * Evaluates flags for OpenFeature, and emits events when they change. It is ready with the source's first good answer,
 * or with the first publish if the flags have no sync.
 *
 * The context is OpenFeature's static one; a new one is simply used, because every answer is evaluated here.
 */
export class EsclusaWebProvider implements Provider {
  readonly metadata = { name: 'esclusa' } as const;
  readonly runsOn = 'client' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly hooks?: Hook[];
  /** What `client.track(name, details)` reports, with `error`, `durationMs` and `action` in the details: for the tracker of the page and `onTrack`. */
  readonly track?: NonNullable<Provider['track']>;
  readonly #flags: ProviderFlags;
  readonly #life: ProviderLife;
  readonly #caller = new LastContext();
  #flagSetId: string | undefined;

  /** @throws TypeError if these are no flags. */
  constructor(flags: ProviderFlags, { initializationTimeoutMs, flagSetId, tracker, onTrack, hooks }: WebProviderOptions = {}) {
    this.#flags = flagsOf(flags);
    this.#life = new ProviderLife(flags, (event, about) => this.events.emit(EVENTS[event], about), initializationTimeoutMs);
    if (hooks !== undefined) {
      this.hooks = hooks;
    }
    this.#flagSetId = flagSetId;
    if (onTrack !== undefined || tracker !== undefined) {
      this.track = (name, context, about) => {
        tracker?.track(name, about);
        onTrack?.(name, context, about);
      };
    }
  }

  /** Listens to the flags, and resolves with the source's first good answer. It rejects if nothing is published in time. */
  initialize(): Promise<void> {
    this.#flagSetId ??= this.#flags.activeSync?.status().source;
    return this.#life.begin();
  }

  /** Another context needs no request: returning nothing keeps the SDK out of its reconciling state. */
  onContextChange(_before: EvaluationContext, _after: EvaluationContext): void {}

  /** Stops listening; the flags are not changed. */
  async onClose(): Promise<void> {
    this.#life.end();
  }

  resolveBooleanEvaluation(key: string, defaultValue: boolean, context: EvaluationContext): ResolutionDetails<boolean> {
    return details(this.#flags, key, 'boolean', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }

  resolveStringEvaluation(key: string, defaultValue: string, context: EvaluationContext): ResolutionDetails<string> {
    return details(this.#flags, key, 'string', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }

  resolveNumberEvaluation(key: string, defaultValue: number, context: EvaluationContext): ResolutionDetails<number> {
    return details(this.#flags, key, 'number', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, defaultValue: T, context: EvaluationContext): ResolutionDetails<T> {
    return details(this.#flags, key, 'object', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }
}
