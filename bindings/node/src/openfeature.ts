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

/** Answers OpenFeature's evaluations from flags, and says so when they change. It is ready with the source's first good answer. */
export class EsclusaProvider implements Provider {
  readonly metadata = { name: 'esclusa' } as const;
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly #flags: ProviderFlags;
  readonly #publishes: Publishes;
  readonly #caller = new LateCaller();

  /** `initializationTimeoutMs` is how long initialising waits for the source's first good answer; 10,000. */
  constructor(flags: ProviderFlags, { initializationTimeoutMs }: { initializationTimeoutMs?: number } = {}) {
    this.#flags = flags;
    const told = {
      changed: (flagsChanged: string[]) => this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged }),
      ready: () => this.events.emit(ProviderEvents.Ready),
      stale: () => this.events.emit(ProviderEvents.Stale, { message: 'the source has not answered yet; the flags are from a copy' }),
    };
    this.#publishes = new Publishes(flags, told, initializationTimeoutMs);
  }

  /** Listens to the flags, and is done with the source's first good answer. It rejects when nothing is published in time. */
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
