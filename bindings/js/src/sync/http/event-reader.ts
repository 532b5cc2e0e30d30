/** Server-sent events, reduced to whether they are news [11.20]: the engine's reader, by its number. */
import { type Engine, engine } from '../../engine.js';
import { missing } from '../missing.js';

type Streams = Required<Pick<Engine, 'stream' | 'hasNews' | 'endStream'>>;

/** Reads a stream of events in pieces of any size, until it is ended. */
export class EventReader {
  readonly #engine: Streams;
  readonly #number: number;

  constructor() {
    const loaded = engine();
    if (loaded?.stream === undefined) {
      missing('sync');
    }
    this.#engine = loaded as Streams;
    this.#number = this.#engine.stream();
  }

  /** Whether these bytes end an event that is news. */
  read(bytes: Uint8Array): boolean {
    return this.#engine.hasNews(this.#number, bytes);
  }

  /** Frees what the engine holds of the stream. */
  end(): void {
    this.#engine.endStream(this.#number);
  }
}
