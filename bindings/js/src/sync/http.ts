/** A snapshot behind a URL, asked for with its entity tag, and told of by server-sent events where the store has them. */
import { MAX_SNAPSHOT_BYTES } from '../limit.js';
import { alarm } from './alarm.js';
import { decide } from './decide.js';
import { Access, type Fetching, interrupted } from './http/access.js';
import { Events } from './http/events.js';
import { milliseconds } from './policy.js';
import { Failure, NOT_MODIFIED, type Source } from './source.js';

/** How a URL is asked. */
export interface HttpOptions {
  /** Sent to the origin of the URL, and to no other. */
  headers?: HeadersInit | undefined;
  /** Sent as `Authorization: Bearer …`; a function is asked for it anew for each request. */
  token?: string | (() => string) | undefined;
  /** How long one whole answer may take, with all redirects; 10,000 milliseconds unless told otherwise. */
  timeoutMs?: number | undefined;
  /** How many bytes an answer may have once it is unpacked; 256 MiB, more than which is no snapshot. */
  maxBytes?: number | undefined;
  /**
   * Where server-sent events say that there is a new snapshot, whatever their data. Those of the types `ping`,
   * `heartbeat` and `keep-alive`, and comments, only say that the server lives.
   */
  events?: string | URL | undefined;
  /** For how long the events may keep silent, heartbeats included, before they count as cut off; 45,000 milliseconds. */
  heartbeatMs?: number | undefined;
  /** Asks instead of the global `fetch`. */
  fetch?: Fetching | undefined;
}

/**
 * A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind PostgREST
 * (`https://example.com/feature_flags?select=*`).
 *
 * What authorizes (the headers, and the user and the password of the URL) goes to the origin of this URL and to no
 * other, also after a redirect. It is never shown or logged, and no more is the query of the URL.
 *
 * @throws TypeError for what is no such URL or no header; it does not repeat what it was given.
 */
export function http(url: string | URL, options: HttpOptions = {}): Source {
  const [home, headers] = parse(url, headersOf(options));
  const timeoutMs = milliseconds('timeoutMs', options.timeoutMs, 10_000, 1);
  const heartbeatMs = milliseconds('heartbeatMs', options.heartbeatMs, 45_000, 1);
  const maxBytes = Math.min(options.maxBytes ?? MAX_SNAPSHOT_BYTES, MAX_SNAPSHOT_BYTES);
  // Whoever replaces the global one later, as test runners do, means this too.
  const access = new Access(home, headers, typeof options.token === 'function' ? options.token : undefined, options.fetch ?? ((url, init) => fetch(url, init)));
  const events = options.events === undefined ? undefined : new Events(parse(options.events)[0], access, heartbeatMs, timeoutMs);
  return {
    name: `${home.origin}${home.pathname}`,
    async fetch({ etag, inFull, signal }) {
      events?.mayBeTried();
      const asking = new AbortController();
      let isLate = false;
      const cancel = alarm(timeoutMs, () => {
        isLate = true;
        asking.abort();
      });
      const abort = (): void => asking.abort();
      signal.addEventListener('abort', abort);
      try {
        const own = { accept: 'application/json, */*;q=0.5' };
        // A tag may stay the same while the content changes, so now and then it is left out [11.16].
        const known: Record<string, string> = etag === null || inFull ? {} : { 'if-none-match': etag };
        let response = await access.get(home, { ...own, ...known }, asking.signal);
        if (response.status === 304) {
          // Chromium counts an answer whose end nobody reads as broken off.
          await response.arrayBuffer();
          return NOT_MODIFIED;
        }
        if (rowsOf(response) === 'unknown') {
          await response.body?.cancel();
          response = await access.get(home, { ...own, prefer: 'count=exact' }, asking.signal);
        }
        const rows = rowsOf(response);
        if (typeof rows === 'object') {
          throw new Failure(rows.error);
        }
        return { bytes: await read(response, maxBytes), etag: response.headers.get('etag') };
      } catch (problem) {
        // What is not read to its end need not be sent to its end.
        asking.abort();
        throw isLate ? new Failure(`no whole answer within ${timeoutMs / 1000} s`) : problem;
      } finally {
        cancel();
        signal.removeEventListener('abort', abort);
      }
    },
    watch(tell) {
      events?.begin(tell);
      return () => events?.end();
    },
  };
}

/** Whether an answer holds all rows [11.17]. */
function rowsOf({ status, headers }: Response): 'all' | 'unknown' | { error: string } {
  return decide({ decide: 'rows', status, content_range: headers.get('content-range') }) as 'all' | 'unknown' | { error: string };
}

/** The whole body, unpacked, unless it is too long. It reads no further than it has to. */
async function read(response: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const take = (bytes: number): void => {
    length += bytes;
    if (length > maxBytes) {
      throw new Failure(`the answer is too long, expected at most ${maxBytes} bytes`);
    }
  };
  try {
    if (Number(response.headers.get('content-length')) > maxBytes) {
      take(maxBytes + 1);
    }
    const reader = response.body?.getReader();
    for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
      take(piece.value.length);
      pieces.push(piece.value);
    }
  } catch (problem) {
    throw problem instanceof Failure ? problem : new Failure(`the answer broke off: ${interrupted(problem).message.replace(/^[^:]*: /, '')}`);
  }
  if (length === 0) {
    throw new Failure('the answer is empty, expected a snapshot');
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function headersOf({ headers, token }: HttpOptions): Headers {
  let made: Headers;
  try {
    made = new Headers(headers);
    if (typeof token === 'string') {
      made.set('authorization', `Bearer ${token}`);
    }
  } catch {
    throw new TypeError('a header cannot be sent, expected a name of letters, digits and dashes, and one line of text');
  }
  return made;
}

/** A URL without what `fetch` does not take in it, and that with the headers. */
function parse(given: string | URL, headers = new Headers()): [URL, Headers] {
  // A browser knows what a path by itself belongs to.
  const base = (globalThis.document as Document | undefined)?.baseURI;
  if (!URL.canParse(String(given), base)) {
    throw new TypeError('the URL cannot be read, expected such as https://example.com/flags.json');
  }
  const url = new URL(given, base);
  if (!['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError(`the URL begins with \`${url.protocol}\`, expected http:// or https://`);
  }
  if ((url.username !== '' || url.password !== '') && !headers.has('authorization')) {
    const pair = new TextEncoder().encode(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`);
    headers.set('authorization', `Basic ${btoa(String.fromCharCode(...pair))}`);
  }
  url.username = url.password = url.hash = '';
  return [url, headers];
}
