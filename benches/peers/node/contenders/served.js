// A server on loopback that gives one document while a peer starts that takes its flags from nowhere else.
import { createServer } from 'node:http';

/**
 * Gives what `start` gives, which is told the address.
 *
 * @template T
 * @param {unknown} document
 * @param {(url: string) => Promise<T>} start
 */
export async function served(document, start) {
  const text = JSON.stringify(document);
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(text));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  try {
    return await start(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
