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

/** How often to look for another thread's first publish: nobody sees the delay, and looking costs microseconds. */
const LOOK_MS = 50;

const EVENTS = {
  changed: ProviderEvents.ConfigurationChanged,
  ready: ProviderEvents.Ready,
  stale: ProviderEvents.Stale,
  error: ProviderEvents.Error,
} as const;

/** Answers OpenFeature's evaluations from flags, and says so when they change. It is ready with the source's first good answer. */
export class EsclusaProvider implements Provider {
  readonly metadata = { name: 'esclusa' } as const;
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly hooks?: Hook[];
  /** Only there if the app wants to hear of what is tracked. */
  readonly track?: NonNullable<Provider['track']>;
  readonly #flags: ProviderFlags;
  readonly #life: ProviderLife;
  readonly #caller = new LastContext();
  #looking: NodeJS.Timeout | undefined;

  /** @throws TypeError if these are no flags. */
  constructor(flags: ProviderFlags, { initializationTimeoutMs, onTrack, hooks }: ProviderOptions<Hook> = {}) {
    this.#flags = flagsOf(flags);
    this.#life = new ProviderLife(flags, (event, about) => this.events.emit(EVENTS[event], about), initializationTimeoutMs);
    if (hooks !== undefined) {
      this.hooks = hooks;
    }
    if (onTrack !== undefined) {
      this.track = (name, context, about) => onTrack(name, context, about);
    }
  }

  /** Listens to the flags, and is done with the source's first good answer. It rejects when nothing is published in time. */
  async initialize(): Promise<void> {
    // Flags that threads share hear nothing of what another thread publishes, so the provider looks for itself. The
    // process may end meanwhile.
    clearInterval(this.#looking);
    this.#looking = setInterval(() => this.#life.look() && clearInterval(this.#looking), LOOK_MS).unref();
    await this.#life.begin();
  }

  /** Stops listening to the flags, which stay as they are. */
  async onClose(): Promise<void> {
    clearInterval(this.#looking);
    this.#life.end();
  }

  async resolveBooleanEvaluation(key: string, defaultValue: boolean, context: EvaluationContext): Promise<ResolutionDetails<boolean>> {
    return details(this.#flags, key, 'boolean', defaultValue, this.#caller.of(this.#flags, context));
  }

  async resolveStringEvaluation(key: string, defaultValue: string, context: EvaluationContext): Promise<ResolutionDetails<string>> {
    return details(this.#flags, key, 'string', defaultValue, this.#caller.of(this.#flags, context));
  }

  async resolveNumberEvaluation(key: string, defaultValue: number, context: EvaluationContext): Promise<ResolutionDetails<number>> {
    return details(this.#flags, key, 'number', defaultValue, this.#caller.of(this.#flags, context));
  }

  async resolveObjectEvaluation<T extends JsonValue>(key: string, defaultValue: T, context: EvaluationContext): Promise<ResolutionDetails<T>> {
    return details(this.#flags, key, 'object', defaultValue, this.#caller.of(this.#flags, context));
  }
}
