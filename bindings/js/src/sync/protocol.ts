/** The protocol of staying fresh [11]: the engine's, by its number. */
import { type Engine, engine } from '../engine.js';
import { missing } from './missing.js';
import type { State } from './status.js';

/** An event; the milliseconds of the host's monotonic clock are sent with it. */
export type Event =
  | { event: 'next' | 'refresh' | 'notified' | 'disconnected' | 'not_modified' }
  | { event: 'from_cache'; revision: number | null }
  | { event: 'published'; revision: number | null; etag: string | null }
  | { event: 'older'; revision: number | null; current: number | null }
  | { event: 'failure'; error: string; retry_after_ms: number | null };

/** The next action: a request with these parameters, or a wait. */
export type Action = { ask: { etag: string | null; revision: number | null; in_full: boolean }; wait_ms?: never } | { ask?: never; wait_ms: number };

/** The status in the engine's form [11.13]. */
export interface WireStatus {
  state: State;
  revision: number | null;
  age_ms: number | null;
  failures: number;
  last_error: { error: string; at_ms: number } | null;
}

type Protocols = Required<Pick<Engine, 'protocol' | 'step' | 'isKnown' | 'end'>>;

const unused = new FinalizationRegistry<() => void>((end) => end());

/** When to ask, what to ask, and what an answer means. */
export class Protocol {
  readonly #engine: Protocols;
  readonly #number: number;
  readonly #began = performance.now();

  constructor(policy: string) {
    const loaded = engine();
    if (loaded?.protocol === undefined) {
      missing('sync');
    }
    const protocols = (this.#engine = loaded as Protocols);
    const number = (this.#number = protocols.protocol(policy));
    unused.register(this, () => protocols.end(number));
  }

  /** The time since the protocol began. */
  now(): number {
    return Math.floor(performance.now() - this.#began);
  }

  step(event: Event): Action {
    return JSON.parse(this.#engine.step(this.#number, JSON.stringify({ ...event, now_ms: this.now() }))) as Action;
  }

  /** Whether these are the bytes that the source sent last. */
  isKnown(bytes: Uint8Array): boolean {
    return this.#engine.isKnown(this.#number, bytes);
  }

  status(): WireStatus {
    return JSON.parse(this.#engine.step(this.#number, JSON.stringify({ event: 'status', now_ms: this.now() }))) as WireStatus;
  }
}
