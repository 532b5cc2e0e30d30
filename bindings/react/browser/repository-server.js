/** Serves files of this repository on loopback, so that a page can import the built packages as they are. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

/** @type {{ readonly [extension: string]: string }} */
const TYPES = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** A page with nothing on it but `load`; isolated, which makes its clock fine enough to time calls. */
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>esclusa</title>
<script>window.load = (path) => import(path);</script>`;
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-store',
};

/** @returns {Promise<{ url: string, stop: () => Promise<void> }>} */
export async function serveRepository() {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = normalize(join(ROOT, path));
    const type = TYPES[extname(file)];
    if (path === '/') {
      response.writeHead(200, { 'content-type': 'text/html', ...ISOLATED }).end(PAGE);
    } else if (!type || !file.startsWith(ROOT)) {
      response.writeHead(404).end();
    } else {
      readFile(file).then(
        (bytes) => response.writeHead(200, { 'content-type': type, ...ISOLATED }).end(bytes),
        () => response.writeHead(404).end(),
      );
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const stop = () =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      })
    );
  return { url: `http://127.0.0.1:${address.port}/`, stop };
}
