/** Access to a URL: its credentials, and the origin that they are sent to. */
import { redacted, describeError } from '../redaction.js';
import { Failure } from '../source.js';
import { retryAfterMs } from './retry-after.js';

/** Maximum number of consecutive redirects. */
const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Errors of a connection that was established; all others happen before that. */
const BROKEN = /^(?:ECONNRESET|EPIPE|HPE_|Z_|UND_ERR_(?!CONNECT_TIMEOUT))/;

/** The function that sends requests; an app may have one of its own. */
export type Fetching = (url: string, init: RequestInit) => Promise<Response>;

/** Requests with credentials for one origin. */
export class Access {
  readonly #home: URL;
  readonly #headers: Headers;
  readonly #token: (() => string) | undefined;
  readonly #fetch: Fetching;
  /** A browser does not show the target of a redirect, and follows it by itself. */
  #redirect: 'manual' | 'follow' = 'manual';

  /** Headers, user and password of `home` are sent to its origin only. */
  constructor(home: URL, headers: Headers, token: (() => string) | undefined, fetch: Fetching) {
    this.#home = home;
    this.#headers = headers;
    this.#token = token;
    this.#fetch = fetch;
  }

  /** The answer of status 200, or 304 if an entity tag was sent, after redirects. */
  async get(url: URL, own: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    let here = url;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await this.send(here, own, signal);
      if (response.type === 'opaqueredirect') {
        if ([...this.#headers].length > 0 || this.#token !== undefined) {
          throw new Failure('redirected, which a browser follows only where no headers are to be sent, expected the URL that it leads to');
        }
        this.#redirect = 'follow';
        continue;
      }
      // The header decides what an answer of status 206 holds.
      if ([200, 203, 206, 304].includes(response.status)) {
        return response;
      }
      response.body?.cancel().catch(() => undefined);
      if (!REDIRECTS.has(response.status)) {
        throw new Failure(`the answer has the status ${response.status}, expected 200`, { retryAfterMs: retryAfterMs(response.headers) });
      }
      here = redirected(here, response.headers.get('location'));
    }
    throw new Failure(`redirected more often than ${MAX_REDIRECTS} times`);
  }

  /** The answer, whatever its status, to a request that may have another method and a body. */
  async send(url: URL, own: Readonly<Record<string, string>>, signal: AbortSignal, more?: RequestInit): Promise<Response> {
    const headers = new Headers(own);
    if (url.origin === this.#home.origin) {
      this.#headers.forEach((value, name) => headers.set(name, value));
      if (this.#token !== undefined) {
        headers.set('authorization', `Bearer ${this.#token()}`);
      }
      if (own['prefer'] !== undefined && this.#headers.has('prefer')) {
        headers.append('prefer', own['prefer']);
      }
    }
    try {
      return await this.#fetch(url.href, { headers, signal, redirect: this.#redirect, cache: 'no-store', ...more });
    } catch (problem) {
      throw interrupted(problem);
    }
  }
}

/** The failure of a connection. */
export function interrupted(problem: unknown): Failure {
  if (problem instanceof Failure) {
    return problem;
  }
  const cause = (problem as { cause?: unknown } | null)?.cause as { code?: unknown; errors?: unknown[] } | undefined;
  const first = cause?.errors?.[0] ?? cause ?? problem;
  const code = String((first as { code?: unknown } | null)?.code ?? '');
  // Browsers hide the cause.
  const what = cause === undefined ? 'cannot connect, or the answer broke off' : BROKEN.test(code) ? 'the answer broke off' : 'cannot connect';
  return new Failure(`${what}: ${redacted(describeError(first))}`);
}

function redirected(url: URL, location: string | null): URL {
  const target = location === null || !URL.canParse(location, url) ? undefined : new URL(location, url);
  if (target === undefined || !['http:', 'https:'].includes(target.protocol)) {
    throw new Failure('redirected to what is no URL of http or https');
  }
  if (url.protocol === 'https:' && target.protocol === 'http:') {
    throw new Failure('redirected from https to http, which anybody could read and change');
  }
  // A user and a password in it would be sent, and `fetch` refuses them.
  target.username = target.password = target.hash = '';
  return target;
}
