/** Keeping fresh in Chromium: past every cache, paused while the page is hidden, and not beyond a redirect with headers. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch, watch } from './chromium.js';
import type { Running } from './example-server.ts';
import { serveRepository } from './repository-server.js';

type Engine = typeof import('@esclusa/wasm/sync');

let browser: Browser;
let running: Running;
let store: Server;
let url: string;
let page: Page;
let context: BrowserContext;
let complaints: string[];
/** What the store was asked with, and what it answers. */
let asked: IncomingHttpHeaders[] = [];
let revision = 1;

beforeAll(async () => {
  [browser, running] = [await launch(), await serveRepository()];
  store = createServer((request, response) => {
    const headers = {
      'access-control-allow-origin': '*',
      'access-control-allow-headers': '*',
      'access-control-expose-headers': 'etag',
      'cross-origin-resource-policy': 'cross-origin',
    };
    if (request.method === 'OPTIONS') {
      response.writeHead(204, headers).end();
      return;
    }
    asked.push(request.headers);
    const etag = `"${revision}"`;
    if (request.url === '/moved.json') {
      response.writeHead(307, { ...headers, location: '/flags.json' }).end();
    } else if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { ...headers, etag }).end();
    } else {
      // A cache would give the same answer forever.
      const flags = [{ name: 'on', enabled: revision % 2 === 1, client: true }];
      response.writeHead(200, { ...headers, etag, 'cache-control': 'public, max-age=31536000' });
      response.end(JSON.stringify({ esclusa: 1, revision, flags }));
    }
  });
  await new Promise((resolve) => store.listen(0, '127.0.0.1', () => resolve(undefined)));
  url = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await browser.close();
  await running.stop();
  store.closeAllConnections();
  store.close();
});

beforeEach(async () => {
  [asked, revision] = [[], 1];
  ({ page, context, complaints } = await watch(browser));
  await page.goto(running.url);
  await page.evaluate(async () => {
    const host = (await window.load('/bindings/wasm/dist/sync/index.js')) as Engine;
    await host.default();
    Object.assign(window, { host });
  });
});

afterEach(async () => {
  await context.close();
});

/** Keeps flags fresh in the page. */
const begin = (path: string, token?: string) =>
  page.evaluate(
    async ({ address, token }) => {
      const { Flags, http, sync } = (window as unknown as { host: Engine }).host;
      const flags = new Flags();
      const options = { intervalMs: 50, jitter: 0, backoffMinMs: 20, backoffMaxMs: 50, spreadMs: 5, logger: null };
      const syncing = sync(flags, http(address, token === undefined ? {} : { token }), options);
      Object.assign(window, { flags, syncing });
      return syncing.ready(token === undefined ? 60_000 : 500);
    },
    { address: url + path, token },
  );

const look = () =>
  page.evaluate(() => {
    const { flags, syncing } = window as unknown as { flags: InstanceType<Engine['Flags']>; syncing: InstanceType<Engine['Sync']> };
    return { ...syncing.status(), revision: flags.revision, on: flags.isEnabled('on') };
  });

/** What a browser does to a hidden page. */
const show = (state: 'hidden' | 'visible') =>
  page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

test('what is new is seen, whatever caches are told, and asked for by its entity tag', async () => {
  expect(await begin('/flags.json')).toBe(true);
  expect(await look()).toMatchObject({ revision: 1, on: true });
  await expect.poll(() => asked.some((headers) => headers['if-none-match'] === '"1"')).toBe(true);
  revision = 2;
  await expect.poll(async () => (await look()).revision, { timeout: 60_000 }).toBe(2);
  expect(await look()).toMatchObject({ on: false, state: 'fresh', failures: 0, source: `${url}/flags.json` });
  expect(complaints).toEqual([]);
});

test('a page that is hidden asks for nothing, and asks when it is shown again', async () => {
  await begin('/flags.json');
  await expect.poll(() => asked.length).toBeGreaterThan(3);
  await show('hidden');
  // What was on its way is answered.
  await page.waitForTimeout(200);
  const before = asked.length;
  revision = 2;
  await page.waitForTimeout(500);
  expect(asked.length).toBe(before);
  expect((await look()).revision).toBe(1);
  await show('visible');
  await expect.poll(async () => (await look()).revision, { timeout: 60_000 }).toBe(2);
  expect(complaints).toEqual([]);
});

test('a page that opens hidden gets its first flags', async () => {
  await show('hidden');
  expect(await begin('/flags.json')).toBe(true);
});

test('a redirect is followed where there is nothing to show to others', async () => {
  expect(await begin('/moved.json')).toBe(true);
  await page.evaluate(() => (window as unknown as { syncing: InstanceType<Engine['Sync']> }).syncing.close());
  expect(await begin('/moved.json', 'secret')).toBe(false);
  expect((await look()).lastError?.error).toContain('redirected, which a browser follows only where no headers are to be sent');
});
