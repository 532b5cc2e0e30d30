/** Sources: where snapshots come from. An object with `name` and `fetch` is one, and so is a function. */
import type { MappedBy, MappingLike } from '../mapping.js';
import type { Stored } from '../parameters.js';
import type { Snapshot } from '../publication.js';
import type { Bundle } from '../tables.js';

/** What a source is asked with, so that it need not send what is known. */
export interface Request {
  /** The entity tag of the last answer that was taken. */
  readonly etag: string | null;
  /** The revision of the last answer that was taken. */
  readonly revision: number | null;
  /** Whether the whole answer is due: a store over HTTP is asked without the entity tag [11.16]. */
  readonly inFull: boolean;
  /** Whether bare rows without a row are a good answer [11.17]. */
  readonly allowEmpty: boolean;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What the request stands for is still the current snapshot. */
export interface NotModified {
  readonly esclusa: 'not modified';
}

/** What a source answers then. */
export const NOT_MODIFIED: NotModified = Object.freeze({ esclusa: 'not modified' });

/** The current snapshot, alone or with what stands for it in the next request; or that nothing has changed. */
export type Answer = Snapshot | Bundle | { readonly bytes: Snapshot | Bundle; readonly etag?: string | null | undefined } | NotModified;

/** What a source says unasked: there is a new snapshot, or the way by which it would say so is cut off. */
export type News = 'changed' | 'disconnected';

/** Ends a watch. */
export type Stop = () => unknown;

/**
 * A store that can be asked for a snapshot. It is asked again and again, at the times that the protocol decides; it
 * holds no schedule, no retries and no copy of its own.
 */
export interface Source {
  /** What the log and the status call it, without secrets. */
  readonly name: string;
  /** The current snapshot. Whatever it throws, or rejects with, is a failure. */
  fetch(request: Request): Answer | PromiseLike<Answer>;
  /** Why it tells of no news now though it could, without secrets; the status says so. */
  readonly polled?: string | null;
  /**
   * The mapping that reads what it gives, which is rows of a table then; `mapped` gives any source one. `{ stored: {} }` is
   * the one that the rows bring along, with its parameters.
   */
  readonly translation?: MappingLike | Stored | null;
  /** Whose mapping read what it gave last, if that is not said by `translation`; the status says so. */
  readonly mappedBy?: MappedBy | null;
  /**
   * Begins to tell of news, and gives what ends that. After `disconnected`, which is also what it counts as when this throws
   * or rejects, that is called, and this again when the source is next asked: there is nothing to try again here.
   */
  watch?(tell: (news: News) => void): Stop | void | PromiseLike<Stop | void>;
  /** What can be published before the source is asked for the first time: a cached copy, a bundled file. */
  bootstrap?(): Snapshot | null | undefined | PromiseLike<Snapshot | null | undefined>;
}

/** A function that gives the current snapshot is a source too. */
export type Fetch = (request: Request) => Answer | PromiseLike<Answer>;

/** Why there is no answer. A source may throw any other error; this one says more. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** For how long the source asks to be left alone. */
  readonly retryAfterMs: number | null;
  /** A snapshot that there is nevertheless, to be published until there is an answer. */
  readonly instead: Snapshot | null;

  /** What went wrong, in one line and without secrets: it is logged and shown in the status. */
  constructor(message: string, more?: { retryAfterMs?: number | null | undefined; instead?: Snapshot | null | undefined }) {
    super(message);
    this.retryAfterMs = more?.retryAfterMs ?? null;
    this.instead = more?.instead ?? null;
  }
}
