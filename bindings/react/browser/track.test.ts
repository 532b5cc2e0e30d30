/** The events of a page in Chromium: a page that is left sends what it has, in the form that `spec/GUARD.md` describes. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PATIENCE_MS, launch, watch } from './chromium.js';
import type { Running } from './example-server.ts';
import { serveRepository } from './repository-server.js';

type Tracking = typeof import('@esclusa/react/track');

let browser: Browser;
let running: Running;
let app: Server;
let url: string;
let received: { type: string | undefined; cookie: string | undefined; bytes: number; events: object[] }[] = [];

/** The app has the page and takes its events, at one origin. */
beforeAll(async () => {
  [browser, running] = [await launch(), await serveRepository()];
  app = createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/v1/track') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const { events } = JSON.parse(body.toString()) as { events: object[] };
        received.push({ type: request.headers['content-type'], cookie: request.headers.cookie, bytes: body.length, events });
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ taken: events.length, refused: [] }));
      });
      return;
    }
    void fetch(new URL(request.url ?? '/', running.url)).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '', 'set-cookie': 'session=ana' });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  await new Promise((resolve) => app.listen(0, '127.0.0.1', () => resolve(undefined)));
  url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  app.closeAllConnections();
  await Promise.all([browser.close(), running.stop(), new Promise((resolve) => app.close(resolve))]);
});

for (const path of ['/bindings/react/dist/track.js', '/bindings/wasm/dist/track.js']) {
  test(`${path}: a page that is left sends a beacon with its session`, async () => {
    received = [];
    const { page, context } = await watch(browser);
    await page.goto(url);
    const dropped = await page.evaluate(async (path) => {
      const { PageTracker } = (await window.load(path)) as Tracking;
      const tracker = new PageTracker();
      for (let times = 0; times < 3; times += 1) tracker.track('crm', { action: 'view', shown: 'children' });
      for (let at = 0; at < 150; at += 1) tracker.track('checkout', { error: at % 2 === 0, durationMs: at, text: 'é'.repeat(100) });
      tracker.track('checkout', { durationMs: Number.NaN });
      return tracker.dropped;
    }, path);
    expect([dropped, received]).toEqual([1, []]);
    await page.goto('about:blank');
    const events = () => received.flatMap((request) => request.events);
    await expect.poll(() => events().length, { timeout: PATIENCE_MS }).toBe(151);
    expect(events()).toContainEqual({ event: 'crm', action: 'view', shown: 'children' });
    expect(events()).toContainEqual({ event: 'checkout', duration_ms: 149, fields: { text: 'é'.repeat(100) } });
    for (const { type, cookie, bytes } of received) {
      expect([type, cookie]).toEqual(['application/json', 'session=ana']);
      expect(bytes).toBeLessThanOrEqual(16_384);
    }
    await context.close();
  });
}

test('a page that stays sends what it has, and reads the answer', async () => {
  received = [];
  const { page, context, complaints } = await watch(browser);
  await page.goto(url);
  await page.evaluate(async () => {
    const { PageTracker } = (await window.load('/bindings/react/dist/track.js')) as Tracking;
    const tracker = new PageTracker();
    tracker.track('crm', { action: 'click' });
    await tracker.send();
  });
  expect(received.map(({ type, cookie, events }) => ({ type, cookie, events }))).toEqual([{ type: 'application/json', cookie: 'session=ana', events: [{ event: 'crm', action: 'click' }] }]);
  expect(complaints).toEqual([]);
  await context.close();
});
