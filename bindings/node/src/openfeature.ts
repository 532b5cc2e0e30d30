/** The provider for `@openfeature/server-sdk`. */
import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/server-sdk';

import { LateCaller, type ProviderFlags, Publishes, details } from '../../js/src/openfeature.js';

export type { ProviderFlags } from '../../js/src/openfeature.js';

/** How often to look for another thread's first publish: nobody sees the delay, and looking costs microseconds. */
const LOOK_MS = 50;

/** Answers OpenFeature's evaluations from flags, and says so when they change. It is ready when something is published. */
export class EsclusaProvider implements Provider {
  readonly metadata = { name: 'esclusa' } as const;
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly #flags: ProviderFlags;
  readonly #publishes: Publishes;
  readonly #caller = new LateCaller();

  constructor(flags: ProviderFlags) {
    this.#flags = flags;
    this.#publishes = new Publishes(flags, (flagsChanged) => {
      this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
    });
  }

  /** Listens to the flags, and is done as soon as something is published. */
  async initialize(): Promise<void> {
    // Flags that threads share hear nothing of what another thread publishes, so there the wait looks for itself. The
    // process may end meanwhile.
    const looking = setInterval(() => this.#publishes.look(), LOOK_MS).unref();
    try {
      await this.#publishes.begin();
    } finally {
      clearInterval(looking);
    }
  }

  /** Stops listening to the flags, which stay as they are. */
  async onClose(): Promise<void> {
    this.#publishes.end();
  }

  async resolveBooleanEvaluation(key: string, otherwise: boolean, context: EvaluationContext): Promise<ResolutionDetails<boolean>> {
    return details(this.#flags, key, 'boolean', otherwise, this.#caller.of(this.#flags, context));
  }

  async resolveStringEvaluation(key: string, otherwise: string, context: EvaluationContext): Promise<ResolutionDetails<string>> {
    return details(this.#flags, key, 'string', otherwise, this.#caller.of(this.#flags, context));
  }

  async resolveNumberEvaluation(key: string, otherwise: number, context: EvaluationContext): Promise<ResolutionDetails<number>> {
    return details(this.#flags, key, 'number', otherwise, this.#caller.of(this.#flags, context));
  }

  async resolveObjectEvaluation<T extends JsonValue>(key: string, otherwise: T, context: EvaluationContext): Promise<ResolutionDetails<T>> {
    return details(this.#flags, key, 'object', otherwise, this.#caller.of(this.#flags, context));
  }
}
