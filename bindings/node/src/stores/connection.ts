/** The connection that a store keeps between two queries, and on which it gets notifications. */
import type { News } from '../../../js/src/sync/source.js';
import { inTime } from './in-time.js';

/** One connection at a time: the first query opens it, and after it was closed the next one does. */
export class Connection<Link extends { close(): void }> {
  /** Whether it gets notifications; a new connection does not yet. */
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

  /** The connection, opened again if necessary. */
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

  /** The result of a query. A query that fails or takes too long closes the connection. */
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

  /** Reports a change to the driver of the flags. */
  changed(): void {
    this.#tell?.('changed');
  }

  /** This connection has ended; it may be one that is no longer in use. */
  ended(link: Link | undefined): void {
    if (link !== undefined && this.#link === link) {
      this.close();
      this.#tell?.('disconnected');
    }
  }

  /** Notifications arrive on the connection that a query opens, so nothing is started here. */
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
