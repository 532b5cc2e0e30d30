/** The provider for `@openfeature/server-sdk`. */
import {
  type EvaluationContext,
  type Hook,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/server-sdk';

import { ProviderLife } from '../../js/src/openfeature-events.js';
import { LastContext, type ProviderFlags, type ProviderOptions, details, flagsOf } from '../../js/src/openfeature.js';

export type { ProviderFlags, ProviderOptions } from '../../js/src/openfeature.js';

/** How often to check for another thread's first publish: a check takes microseconds. */
const LOOK_MS = 50;

const EVENTS = {
  changed: ProviderEvents.ConfigurationChanged,
  ready: ProviderEvents.Ready,
  stale: ProviderEvents.Stale,
  error: ProviderEvents.Error,
} as const;

/** Evaluates flags for OpenFeature, and emits events when they change. It is ready with the source's first good answer. */
export class EsclusaProvider implements Provider {
  readonly metadata = { name: 'esclusa' } as const;
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly hooks?: Hook[];
  /** What `client.track(name, context, details)` reports, with `error`, `durationMs` and `action` in the details: for guards and `onTrack`. */
  readonly track?: NonNullable<Provider['track']>;
  readonly #flags: ProviderFlags;
  readonly #life: ProviderLife;
  readonly #caller = new LastContext();
  #flagSetId: string | undefined;
  #looking: NodeJS.Timeout | undefined;

  /** @throws TypeError if these are no flags. */
  constructor(flags: ProviderFlags, { initializationTimeoutMs, flagSetId, onTrack, hooks }: ProviderOptions<Hook> = {}) {
    this.#flags = flagsOf(flags);
    this.#life = new ProviderLife(flags, (event, about) => this.events.emit(EVENTS[event], about), initializationTimeoutMs);
    if (hooks !== undefined) {
      this.hooks = hooks;
    }
    this.#flagSetId = flagSetId;
    if (onTrack !== undefined || flags.track !== undefined) {
      this.track = (name, context, about) => {
        flags.track?.(name, context, about);
        onTrack?.(name, context, about);
      };
    }
  }

  /** Listens to the flags, and resolves with the source's first good answer. It rejects if nothing is published in time. */
  async initialize(): Promise<void> {
    // A publish by another thread calls no listener here, so the provider checks for itself. This timer does not keep
    // the process alive.
    clearInterval(this.#looking);
    this.#flagSetId ??= this.#flags.activeSync?.status().source;
    this.#looking = setInterval(() => this.#life.look() && clearInterval(this.#looking), LOOK_MS).unref();
    await this.#life.begin();
  }

  /** Stops listening; the flags are not changed. */
  async onClose(): Promise<void> {
    clearInterval(this.#looking);
    this.#life.end();
  }

  async resolveBooleanEvaluation(key: string, defaultValue: boolean, context: EvaluationContext): Promise<ResolutionDetails<boolean>> {
    return details(this.#flags, key, 'boolean', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }

  async resolveStringEvaluation(key: string, defaultValue: string, context: EvaluationContext): Promise<ResolutionDetails<string>> {
    return details(this.#flags, key, 'string', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }

  async resolveNumberEvaluation(key: string, defaultValue: number, context: EvaluationContext): Promise<ResolutionDetails<number>> {
    return details(this.#flags, key, 'number', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }

  async resolveObjectEvaluation<T extends JsonValue>(key: string, defaultValue: T, context: EvaluationContext): Promise<ResolutionDetails<T>> {
    return details(this.#flags, key, 'object', defaultValue, this.#caller.of(this.#flags, context), this.#flagSetId);
  }
}
