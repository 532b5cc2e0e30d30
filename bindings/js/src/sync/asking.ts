/** Requests to a user's source: they give an answer or a `Failure`, whatever the source does. */
import { engine } from '../engine.js';
import type { MappedBy } from '../mapping.js';
import { snapshotBytes } from './bytes.js';
import { decide } from './decide.js';
import { redacted, describeError } from './redaction.js';
import { Failure, type Fetch, NOT_MODIFIED, type News, type NotModified, type Request, type Source, type Stop } from './source.js';

/** An answer in its normal form. */
export type Taken = { readonly bytes: Uint8Array; readonly etag: string | null } | NotModified;

/** A source, or a function as one. */
export function sourceOf(source: Source | Fetch): Source {
  if (typeof source === 'function') {
    return { name: source.name || 'function', fetch: source };
  }
  if (typeof source !== 'object' || source === null || typeof source.fetch !== 'function') {
    throw new TypeError('this is no source, expected an object with `name` and `fetch`, or a function that gives a snapshot');
  }
  return source;
}

/** Its name in the log and the status. */
export function nameOf(source: Source): string {
  return redacted(String(source.name)) || 'source';
}

/** Why it sends no notifications now, although it could. */
export function polledOf(source: Source): string | null {
  return typeof source.polled === 'string' ? redacted(source.polled) : null;
}

/** Whose mapping read its last answer. */
export function mappedByOf(source: Source): MappedBy | null {
  const { translation, mappedBy } = source;
  return mappedBy !== undefined || translation === null || translation === undefined ? (mappedBy ?? null) : (engine()?.mappedBy?.(translation) ?? null);
}

/** Requests the snapshot; it rejects only with a `Failure`. */
export async function ask(source: Source, request: Request): Promise<Taken> {
  try {
    const answer: unknown = await source.fetch(request);
    // Another copy of this package has an equal constant.
    if ((answer as { esclusa?: unknown } | null | undefined)?.esclusa === NOT_MODIFIED.esclusa) {
      return NOT_MODIFIED;
    }
    const alone = snapshotBytes(answer);
    const { bytes: inner, etag } = (alone === undefined && typeof answer === 'object' && answer !== null ? answer : {}) as { bytes?: unknown; etag?: unknown };
    const bytes = alone ?? snapshotBytes(inner);
    if (bytes === undefined || !['string', 'undefined'].includes(typeof (etag ?? undefined))) {
      throw new Failure(`the source gave ${kindOf(answer)}, expected text, bytes, rows, { bytes, etag } or NOT_MODIFIED`);
    }
    if (!request.allowEmpty && hasNoRows(bytes)) {
      throw new Failure(
        'the answer has no rows, expected at least one: row-level security may hide them; a document without flags, or `allowEmpty`, says that there are none',
      );
    }
    return { bytes, etag: (etag as string | null | undefined) ?? null };
  } catch (problem) {
    throw failureOf(problem);
  }
}

/** The bytes of brackets, white space and a byte order mark. */
const BLANK = new Set([0x5b, 0x5d, 0x20, 0x09, 0x0a, 0x0c, 0x0d, 0xef, 0xbb, 0xbf]);

/** Whether these are bare rows without a row [11.17]: a store that hides its rows answers so. */
function hasNoRows(bytes: Uint8Array): boolean {
  // A long answer has other bytes, and need not become text for the core.
  const text = (): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return bytes.every((byte) => BLANK.has(byte)) && decide({ decide: 'no_rows', text: text() }) === true;
}

/** The bootstrap of a source: synchronous if the source has it synchronously. */
export function begin(source: Source): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  const said = source.bootstrap?.();
  const isLater = typeof (said as PromiseLike<unknown> | null | undefined)?.then === 'function';
  return isLater ? Promise.resolve(said).then(snapshotBytes) : snapshotBytes(said);
}

/** Starts the notifications of a source, and returns a function that ends them; calls `failed` with an error. */
export function watch(source: Source, tell: (news: News) => void, failed: (failure: Failure) => void): Stop {
  let isOver = false;
  let stop: Stop | undefined;
  const end = (): void => {
    const ending = stop;
    stop = undefined;
    attempt(() => ending?.(), () => undefined);
  };
  const onNews = (news: News): void => {
    if (!isOver) {
      tell(news);
    }
  };
  attempt(
    () => source.watch?.(onNews),
    (problem) => isOver || failed(failureOf(problem)),
    (given) => {
      if (typeof given === 'function') {
        stop = given as Stop;
      }
      if (isOver) {
        end();
      }
    },
  );
  return () => {
    isOver = true;
    end();
  };
}

/** Calls a function that may throw at once or reject later. */
function attempt(call: () => unknown, failed: (problem: unknown) => unknown, done?: (given: unknown) => void): void {
  try {
    const given = call();
    if (typeof (given as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      Promise.resolve(given).then(done, failed);
    } else {
      done?.(given);
    }
  } catch (problem) {
    failed(problem);
  }
}

/** Any thrown value as a failure. */
export function failureOf(problem: unknown): Failure {
  try {
    if (problem instanceof Failure) {
      const { message, retryAfterMs, instead } = problem;
      const isTime = typeof retryAfterMs === 'number' && retryAfterMs >= 0;
      const wait = isTime ? Math.min(Math.ceil(retryAfterMs), Number.MAX_SAFE_INTEGER) : null;
      return new Failure(redacted(message), { retryAfterMs: wait, instead: snapshotBytes(instead) ?? null });
    }
  } catch {
    // It cannot be read, as `describeError` reports.
  }
  return new Failure(describeError(problem));
}

function kindOf(answer: unknown): string {
  return answer === null || answer === undefined ? String(answer) : `a value of type ${typeof answer}`;
}
