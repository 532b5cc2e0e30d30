/** The provider for `@openfeature/web-sdk`. */
import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/web-sdk';

import { LateCaller, type ProviderFlags, Publishes, details } from '../../js/src/openfeature.js';

export type { ProviderFlags } from '../../js/src/openfeature.js';

/**
 * Answers OpenFeature's evaluations from flags, and says so when they change. It is ready with the
 * source's first good answer, or with the first publish where no source keeps the flags fresh.
 *
 * The context is OpenFeature's static one; a new one is simply used, since every answer is worked out here.
 */
export class EsclusaWebProvider implements Provider {
  readonly metadata = { name: 'esclusa' } as const;
  readonly runsOn = 'client' as const;
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
  initialize(): Promise<void> {
    return this.#publishes.begin();
  }

  /** Nothing has to be fetched for another context: returning nothing keeps the SDK out of its reconciling state. */
  onContextChange(_before: EvaluationContext, _after: EvaluationContext): void {}

  /** Stops listening to the flags, which stay as they are. */
  async onClose(): Promise<void> {
    this.#publishes.end();
  }

  resolveBooleanEvaluation(key: string, otherwise: boolean, context: EvaluationContext): ResolutionDetails<boolean> {
    return details(this.#flags, key, 'boolean', otherwise, this.#caller.of(this.#flags, context));
  }

  resolveStringEvaluation(key: string, otherwise: string, context: EvaluationContext): ResolutionDetails<string> {
    return details(this.#flags, key, 'string', otherwise, this.#caller.of(this.#flags, context));
  }

  resolveNumberEvaluation(key: string, otherwise: number, context: EvaluationContext): ResolutionDetails<number> {
    return details(this.#flags, key, 'number', otherwise, this.#caller.of(this.#flags, context));
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, otherwise: T, context: EvaluationContext): ResolutionDetails<T> {
    return details(this.#flags, key, 'object', otherwise, this.#caller.of(this.#flags, context));
  }
}
