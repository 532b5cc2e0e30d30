/** Sources: where snapshots come from. An object with `name` and `fetch` is one, and so is a function. */
import type { MappedBy, MappingLike } from '../mapping.js';
import type { Stored } from '../parameters.js';
import type { Snapshot } from '../publication.js';
import type { Bundle } from '../tables.js';

/** The parameters of a request, so that the source need not send what is known. */
export interface Request {
  /** The entity tag of the last accepted answer. */
  readonly etag: string | null;
  /** The revision of the last accepted answer. */
  readonly revision: number | null;
  /** Whether the whole answer is due: a store over HTTP is asked without the entity tag [11.16]. */
  readonly inFull: boolean;
  /** Whether bare rows without a row are a good answer [11.17]. */
  readonly allowEmpty: boolean;
  /** Aborted when the answer is no longer awaited. */
  readonly signal: AbortSignal;
}

/** The snapshot has not changed since the request's entity tag. */
export interface NotModified {
  readonly esclusa: 'not modified';
}

/** The answer of a source whose snapshot has not changed. */
export const NOT_MODIFIED: NotModified = Object.freeze({ esclusa: 'not modified' });

/** The current snapshot, alone or with the entity tag for the next request; or that nothing has changed. */
export type Answer = Snapshot | Bundle | { readonly bytes: Snapshot | Bundle; readonly etag?: string | null | undefined } | NotModified;

/** A notification from a source: there is a new snapshot, or the connection for notifications was lost. */
export type News = 'changed' | 'disconnected';

/** Ends a watch. */
export type Stop = () => unknown;

/** A store that gives a snapshot on request. The protocol decides when it is asked; a source has no schedule, no retries and no copy of its own. */
export interface Source {
  /** Its name in the log and the status, without secrets. */
  readonly name: string;
  /** The current snapshot. An error or a rejection is a failure. */
  fetch(request: Request): Answer | PromiseLike<Answer>;
  /** Why it sends no notifications now, although it could, without secrets; the status shows it. */
  readonly polled?: string | null;
  /**
   * The mapping that reads its answers, which are then rows of a table; `mapped` gives any source one. `{ stored: {} }`
   * is the one that comes with the rows, with its parameters.
   */
  readonly translation?: MappingLike | Stored | null;
  /** Whose mapping read its last answer, if `translation` does not tell; the status shows it. */
  readonly mappedBy?: MappedBy | null;
  /**
   * Starts notifications, and returns a function that ends them. After `disconnected` (an error or a rejection counts
   * as that too) the returned function is called, and `watch` again with the next request: a source need not retry by
   * itself.
   */
  watch?(tell: (news: News) => void): Stop | void | PromiseLike<Stop | void>;
  /** What can be published before the first request: a cached copy, a bundled file. */
  bootstrap?(): Snapshot | null | undefined | PromiseLike<Snapshot | null | undefined>;
}

/** A function that gives the current snapshot is a source too. */
export type Fetch = (request: Request) => Answer | PromiseLike<Answer>;

/** Why there is no answer. A source may throw any other error; this one has more details. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** The wait that the source asks for, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** A snapshot that is published until there is an answer. */
  readonly instead: Snapshot | null;

  /** The error, in one line and without secrets: the log and the status show it. */
  constructor(message: string, more?: { retryAfterMs?: number | null | undefined; instead?: Snapshot | null | undefined }) {
    super(message);
    this.retryAfterMs = more?.retryAfterMs ?? null;
    this.instead = more?.instead ?? null;
  }
}
