/** A snapshot behind a URL, asked for in a way that lets the process end. */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

import { type HttpOptions, http as everyHttp } from '../../../js/src/sync/http.js';
import type { Source } from '../../../js/src/sync/source.js';

/** How often each address is being asked; `fetch` shows nobody its sockets, but Node tells which request goes where. */
const asked = new Map<string, number>();
let isListening = false;

/**
 * A snapshot behind a URL: a file on a web server or behind a CDN, an endpoint of your own, or a table behind PostgREST
 * (`https://example.com/feature_flags?select=*`).
 *
 * What authorizes (the headers, and the user and the password of the URL) goes to the origin of this URL and to no
 * other, also after a redirect. It is never shown or logged, and no more is the query of the URL. A request that is on
 * its way keeps no process alive.
 *
 * @throws TypeError for what is no such URL or no header; it does not repeat what it was given.
 */
export function http(url: string | URL, options: HttpOptions = {}): Source {
  const fetching = options.fetch ?? ((address, init) => fetch(address, init));
  return everyHttp(url, {
    ...options,
    async fetch(address, init) {
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
    },
  });
}

/** Lets go of the socket of each request as it is sent; it is held again when another request takes it. */
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
