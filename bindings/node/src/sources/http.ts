/** A snapshot behind a URL, requested so that the process can end. */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

import { type HttpOptions, headersOf, http as everyHttp, parse } from '../../../js/src/sync/http.js';
import { Access, type Fetching } from '../../../js/src/sync/http/access.js';
import { milliseconds } from '../../../js/src/sync/policy.js';
import type { Source } from '../../../js/src/sync/source.js';
import type { TripStore } from '../tracking/proposals.js';
import { tripsBehind } from './http-trips.js';

/** Number of pending requests by address; `fetch` hides its sockets, but Node reports which request uses which. */
const asked = new Map<string, number>();
let isListening = false;

/**
 * A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind PostgREST
 * (`https://example.com/feature_flags?select=*`).
 *
 * Credentials (the headers, and the user and the password of the URL) are sent to the origin of this URL only, also
 * after a redirect. Neither they nor the query of the URL are shown or logged. A pending request does not keep the
 * process alive.
 *
 * With the URL of trips, such as `https://flags.example.com/v1/trips`, it is a store to which trips are proposed.
 *
 * @throws TypeError for an invalid URL or header; the message does not repeat the value.
 */
export function http(url: string | URL, options: HttpOptions = {}): Source & TripStore {
  const fetching = unheld(options.fetch ?? ((address, init) => fetch(address, init)));
  const source = everyHttp(url, { ...options, fetch: fetching });
  const [home, headers] = parse(url, headersOf(options));
  const access = new Access(home, headers, typeof options.token === 'function' ? options.token : undefined, fetching);
  return { ...source, ...tripsBehind(home, access, source, milliseconds('timeoutMs', options.timeoutMs, 10_000, 1)) };
}

/** Requests that do not keep the process alive. */
function unheld(fetching: Fetching): Fetching {
  return async (address, init) => {
    listen();
    const { origin, pathname, search } = new URL(address);
    const key = `${origin}${pathname}${search}`;
    asked.set(key, (asked.get(key) ?? 0) + 1);
    try {
      return await fetching(address, init);
    } finally {
      const left = (asked.get(key) ?? 1) - 1;
      left > 0 ? asked.set(key, left) : asked.delete(key);
    }
  };
}

/** Unreferences the socket of each request when it is sent; another request that takes the socket references it again. */
function listen(): void {
  if (!isListening) {
    isListening = true;
    subscribe('undici:client:sendHeaders', (message) => {
      const { request, socket } = message as { request?: { origin?: unknown; path?: unknown }; socket?: Socket };
      if (asked.has(`${String(request?.origin)}${String(request?.path)}`)) {
        socket?.unref?.();
      }
    });
  }
}
