/** A snapshot behind a URL, requested with its entity tag, with server-sent events where the store has them. */
import { MAX_SNAPSHOT_BYTES } from '../limit.js';
import { alarm } from './alarm.js';
import { decide } from './decide.js';
import { Access, type Fetching, interrupted } from './http/access.js';
import { Events } from './http/events.js';
import { milliseconds } from './policy.js';
import { Failure, NOT_MODIFIED, type Source } from './source.js';

/** How requests are sent. */
export interface HttpOptions {
  /** Sent to the origin of the URL, and to no other. */
  headers?: HeadersInit | undefined;
  /** Sent as `Authorization: Bearer …`; a function is called for each request. */
  token?: string | (() => string) | undefined;
  /** Time limit of one whole answer, with all redirects; 10,000 milliseconds by default. */
  timeoutMs?: number | undefined;
  /** Maximum size of an answer in bytes, decompressed; 256 MiB by default, the limit of a snapshot. */
  maxBytes?: number | undefined;
  /**
   * The URL of server-sent events that announce a new snapshot, whatever their data. Events of the types `ping`,
   * `heartbeat` and `keep-alive`, and comments, only keep the connection alive.
   */
  events?: string | URL | undefined;
  /** How long the stream may be silent, heartbeats included, before it counts as disconnected; 45,000 milliseconds by default. */
  heartbeatMs?: number | undefined;
  /** Called instead of the global `fetch`. */
  fetch?: Fetching | undefined;
}

/**
 * A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind PostgREST
 * (`https://example.com/feature_flags?select=*`).
 *
 * Credentials (the headers, and the user and the password of the URL) are sent to the origin of this URL only, also
 * after a redirect. Neither they nor the query of the URL are shown or logged.
 *
 * @throws TypeError for an invalid URL or header; the message does not repeat the value.
 */
export function http(url: string | URL, options: HttpOptions = {}): Source {
  const [home, headers] = parse(url, headersOf(options));
  const timeoutMs = milliseconds('timeoutMs', options.timeoutMs, 10_000, 1);
  const heartbeatMs = milliseconds('heartbeatMs', options.heartbeatMs, 45_000, 1);
  const maxBytes = Math.min(options.maxBytes ?? MAX_SNAPSHOT_BYTES, MAX_SNAPSHOT_BYTES);
  // A test runner may replace the global `fetch` later, and that replacement is then used.
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
        // A tag may stay the same while the content changes, so it is sometimes left out [11.16].
        const known: Record<string, string> = etag === null || inFull ? {} : { 'if-none-match': etag };
        let response = await access.get(home, { ...own, ...known }, asking.signal);
        if (response.status === 304) {
          // Chromium reports an answer that is not read to its end as aborted.
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
        // The rest of the answer is not needed.
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

/** The whole body, decompressed, unless it exceeds the limit; reading stops there. */
export async function read(response: Response, maxBytes: number): Promise<Uint8Array> {
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

/** The headers of every request. */
export function headersOf({ headers, token }: HttpOptions): Headers {
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

/** The URL without the parts that `fetch` refuses, which become headers. */
export function parse(given: string | URL, headers = new Headers()): [URL, Headers] {
  // In a browser a path is relative to the page.
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
