/** The provider for `@openfeature/server-sdk`. */
import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/server-sdk';

import { LateCaller, type ProviderFlags, changed, details } from '../../js/src/openfeature.js';

export type { ProviderFlags } from '../../js/src/openfeature.js';

/** Answers OpenFeature's evaluations from flags, and says so when they change. */
export class EsclusaProvider implements Provider {
  readonly metadata = { name: 'esclusa' } as const;
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  readonly #flags: ProviderFlags;
  readonly #stop: () => void;
  readonly #caller = new LateCaller();

  constructor(flags: ProviderFlags) {
    this.#flags = flags;
    this.#stop = flags.onPublish((report) => {
      this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged: changed(report) });
    });
  }

  /** Stops listening to the flags, which stay as they are. */
  async onClose(): Promise<void> {
    this.#stop();
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
