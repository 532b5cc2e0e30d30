/** The stream of events beside a snapshot: open, or to be opened with the next request for the snapshot. */
import { alarm } from '../alarm.js';
import { Failure, type News } from '../source.js';
import { type Access, interrupted } from './access.js';
import { EventReader } from './event-reader.js';

/** News by server-sent events. */
export class Events {
  readonly #url: URL;
  readonly #access: Access;
  readonly #heartbeatMs: number;
  readonly #timeoutMs: number;
  #tell: ((news: News) => void) | undefined;
  #stream: AbortController | undefined;
  /** A stream that ends at once must not be opened again at once. */
  #tried = Number.NEGATIVE_INFINITY;
  /** A repeated failure is logged once. */
  #isWarned = false;

  constructor(url: URL, access: Access, heartbeatMs: number, timeoutMs: number) {
    this.#url = url;
    this.#access = access;
    this.#heartbeatMs = heartbeatMs;
    this.#timeoutMs = timeoutMs;
  }

  begin(tell: (news: News) => void): void {
    this.#tell = tell;
  }

  end(): void {
    this.#tell = undefined;
    this.#stream?.abort();
    this.#stream = undefined;
  }

  /** The snapshot is being requested: a closed stream is opened, at most once per heartbeat. */
  mayBeTried(): void {
    const isDue = performance.now() - this.#tried >= this.#heartbeatMs;
    if (this.#tell !== undefined && this.#stream === undefined && isDue) {
      this.#tried = performance.now();
      const stream = (this.#stream = new AbortController());
      void this.#listen(stream).then((wasOpen) => {
        stream.abort();
        if (this.#stream === stream) {
          this.#stream = undefined;
          if (wasOpen) {
            this.#tell?.('disconnected');
          }
        }
      });
    }
  }

  /** Listens until the stream ends; true if there was one. */
  async #listen(stream: AbortController): Promise<boolean> {
    let cancel = alarm(this.#timeoutMs, () => stream.abort());
    let isOpen = false;
    let events: EventReader | undefined;
    try {
      const response = await this.#access.get(this.#url, { accept: 'text/event-stream' }, stream.signal);
      if (!/^\s*text\/event-stream/i.test(response.headers.get('content-type') ?? '') || response.body === null) {
        throw new Failure('the answer is of another type, expected text/event-stream');
      }
      isOpen = true;
      this.#isWarned = false;
      // The flags may have changed between the last answer and the first event.
      this.#tell?.('changed');
      const reader = response.body.getReader();
      events = new EventReader();
      for (;;) {
        cancel();
        cancel = alarm(this.#heartbeatMs, () => stream.abort());
        const { done, value } = await reader.read();
        if (done) {
          return isOpen;
        }
        if (events.read(value)) {
          this.#tell?.('changed');
        }
      }
    } catch (problem) {
      if (!stream.signal.aborted && !this.#isWarned) {
        this.#isWarned = true;
        const why = interrupted(problem).message;
        console.warn(`esclusa: no events of ${this.#url.origin}${this.#url.pathname}, asking by the clock alone: ${why}`);
      }
      return isOpen;
    } finally {
      cancel();
      events?.end();
    }
  }
}
