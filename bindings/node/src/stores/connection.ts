/** The connection that a store keeps between two questions, and over which it hears of changes. */
import type { News } from '../../../js/src/sync/source.js';
import { inTime } from './supplied.js';

/** One connection at a time: it is made by the first question, and again after it was closed. */
export class Connection<Link extends { close(): void }> {
  /** Whether changes are heard over it; a new connection hears none yet. */
  isListening = false;
  readonly #make: () => Promise<Link>;
  readonly #timeoutMs: number;
  #link: Link | undefined;
  /** Number of times it was closed: a connection that was being made at that time is closed too. */
  #closed = 0;
  #tell: ((news: News) => void) | undefined;

  constructor(make: () => Promise<Link>, timeoutMs: number) {
    this.#make = make;
    this.#timeoutMs = timeoutMs;
  }

  get isOpen(): boolean {
    return this.#link !== undefined;
  }

  /** The connection, made anew if need be. */
  async get(): Promise<Link> {
    if (this.#link !== undefined) {
      return this.#link;
    }
    const closed = this.#closed;
    const link = await this.#make();
    if (closed !== this.#closed) {
      link.close();
      throw new Error('the connection was closed while it was made');
    }
    this.#link = link;
    return link;
  }

  /** The result of a question. A question that fails or takes too long closes the connection. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await inTime(this.#timeoutMs, question(), () => this.close());
    } catch (problem) {
      this.close();
      throw problem;
    }
  }

  close(): void {
    this.#closed += 1;
    this.#link?.close();
    this.#link = undefined;
    this.isListening = false;
  }

  /** Tells the driver of the flags that there is a change. */
  changed(): void {
    this.#tell?.('changed');
  }

  /** This connection has ended; it may be one that is not used any more. */
  ended(link: Link | undefined): void {
    if (link !== undefined && this.#link === link) {
      this.close();
      this.#tell?.('disconnected');
    }
  }

  /** News comes over the connection that a question makes, so there is nothing to begin here. */
  watch(tell: (news: News) => void): () => void {
    this.#tell = tell;
    return () => {
      if (this.#tell === tell) {
        this.#tell = undefined;
        this.close();
      }
    };
  }
}
