// @vitest-environment node
/** The events of a page, sent to a real server on loopback; the page is happy-dom's. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Window } from 'happy-dom';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PageTracker } from '../src/track.ts';
import type { PageOutcome } from '../src/track.ts';

interface Event {
  event: string;
  [field: string]: unknown;
}

interface Received {
  type: string | undefined;
  authorization: string | undefined;
  bytes: number;
  events: Event[];
}

const SCHEMA = JSON.parse(readFileSync(join(import.meta.dirname, '../../../spec/track.schema.json'), 'utf8')) as {
  $defs: { event: { properties: object; required: string[] }; events: { properties: { events: { maxItems: number } } } };
};
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const { 'content-type': type, authorization } = request.headers;
    const document = JSON.parse(body.toString()) as { esclusa: number; events: Event[] };
    expect([request.method, request.url, document.esclusa, Object.keys(document)]).toEqual(['POST', '/v1/track', 1, ['esclusa', 'events']]);
    received.push({ type, authorization, bytes: body.length, events: document.events });
    const [status, headers, text] = answers.shift() ?? [200, {}, JSON.stringify({ taken: document.events.length, refused: [] })];
    if (status === 0) request.socket.destroy();
    else response.writeHead(status, headers).end(text);
  });
});
let received: Received[] = [];
let answers: [status: number, headers: Record<string, string>, text: string][] = [];
let url = '';
let isHidden = false;

beforeEach(async () => {
  [received, answers, isHidden] = [[], [], false];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/track`;
  const { document } = new Window();
  Object.defineProperty(document, 'visibilityState', { get: () => (isHidden ? 'hidden' : 'visible') });
  vi.stubGlobal('document', document);
});

afterEach(async () => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const events = (): Event[] => received.flatMap((request) => request.events);

test('events are of the form that the schema has, and a view is sent once', async () => {
  const tracker = new PageTracker({ url });
  const outcome = { action: 'click', shown: 'children', variant: 'b', error: true, durationMs: 12.5, value: 4, step: 'payment', count: 3, isNew: false, none: null } as const;
  tracker.track('checkout', outcome);
  tracker.track('checkout');
  for (let times = 0; times < 3; times += 1) {
    tracker.track('crm', { action: 'view', shown: 'children' });
    tracker.track('crm', { action: 'view', variant: 'b' });
    tracker.track('crm', { action: 'click' });
  }
  await tracker.send();
  expect(received).toHaveLength(1);
  expect(received[0]?.type).toBe('application/json');
  const clicks = [{ event: 'crm', action: 'click' }, { event: 'crm', action: 'click' }];
  expect(events()).toEqual([
    { event: 'checkout', action: 'click', shown: 'children', variant: 'b', error: true, duration_ms: 12.5, value: 4, fields: { step: 'payment', count: 3, isNew: false } },
    { event: 'checkout' },
    { event: 'crm', action: 'view', shown: 'children' },
    { event: 'crm', action: 'view', variant: 'b' },
    { event: 'crm', action: 'click' },
    ...clicks,
  ]);
  expect(Object.keys(SCHEMA.$defs.event.properties)).toEqual(expect.arrayContaining(Object.keys(events()[0] ?? {})));
  await tracker.send();
  expect(received).toHaveLength(1);
});

test('what cannot be used is dropped and counted, and nothing throws', async () => {
  const tracker = new PageTracker({ url });
  const bad: unknown[] = [
    { durationMs: Number.NaN }, { durationMs: -1 }, { durationMs: 86_400_001 }, { value: Infinity }, { value: '4' }, { error: 1 }, { action: '' }, { action: 'a'.repeat(51) },
    { shown: 'nothing' }, { variant: 'v'.repeat(201) }, { deep: {} }, { text: 'x'.repeat(201) }, { big: 1n }, Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`f${at}`, at])),
    { get error() { throw new Error('a getter'); } }, { huge: '\u0001'.repeat(200), ...Object.fromEntries(Array.from({ length: 19 }, (_, at) => [`f${at}`, '\u0001'.repeat(200)])) },
  ];
  bad.forEach((outcome) => tracker.track('crm', outcome as PageOutcome));
  [undefined, null, '', 7, 'x'.repeat(201)].forEach((event) => tracker.track(event as string));
  expect(tracker.dropped).toBe(bad.length + 5);
  await tracker.send();
  expect(received).toEqual([]);
});

test('a request has at most 100 events and 16 KiB', async () => {
  const tracker = new PageTracker({ url });
  for (let at = 0; at < 250; at += 1) tracker.track('crm', { at });
  await tracker.send();
  expect(received.map((request) => request.events.length)).toEqual([100, 100, 50]);
  expect(SCHEMA.$defs.events.properties.events.maxItems).toBe(100);
  received = [];
  for (let at = 0; at < 150; at += 1) tracker.track('crm', { at, text: 'é'.repeat(200) });
  await tracker.send();
  expect(Math.max(...received.map(({ bytes }) => bytes))).toBeLessThanOrEqual(16_384);
  expect(events().map(({ fields }) => (fields as { at: number }).at)).toEqual(Array.from({ length: 150 }, (_, at) => at));
});

test('what is refused with 429, or not answered, is sent again; with another status it is dropped and counted', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const tracker = new PageTracker({ url });
  const next = async (ms: number) => {
    const before = received.length;
    vi.advanceTimersByTime(ms);
    await vi.waitFor(() => expect(received.length).toBeGreaterThan(before), { timeout: 10_000 });
    await tracker.send().catch(() => undefined);
  };
  answers = [[429, { 'retry-after': '20' }, '{}']];
  tracker.track('crm', { action: 'click' });
  await tracker.send();
  expect(received).toHaveLength(1);
  vi.advanceTimersByTime(19_000);
  expect(received).toHaveLength(1);
  answers = [[0, {}, '']];
  await next(1_000);
  vi.useRealTimers();
  await tracker.send();
  expect([tracker.dropped, events().every(({ event, action }) => event === 'crm' && action === 'click'), received.length >= 3]).toEqual([0, true, true]);
  received = [];
  await tracker.send();
  expect(received).toEqual([]);
  answers = [[500, {}, ''], [200, {}, JSON.stringify({ taken: 1, refused: [{ at: 1, problem: 'no flag' }] })]];
  tracker.track('crm', { action: 'click' });
  await tracker.send();
  expect(tracker.dropped).toBe(1);
  tracker.track('crm', { action: 'click' });
  tracker.track('crmx');
  await tracker.send();
  expect(tracker.dropped).toBe(2);
});

test('events are sent after 10 seconds, and at once when the page is hidden', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const tracker = new PageTracker({ url, headers: () => ({ authorization: 'Bearer of the session' }) });
  tracker.track('crm', { action: 'click' });
  vi.advanceTimersByTime(9_999);
  expect(received).toHaveLength(0);
  vi.advanceTimersByTime(1);
  await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 10_000 });
  expect(received[0]?.authorization).toBe('Bearer of the session');
  vi.useRealTimers();
  tracker.track('crm', { action: 'hide' });
  document.dispatchEvent(new (document.defaultView as unknown as Window).Event('visibilitychange') as unknown as globalThis.Event);
  isHidden = true;
  document.dispatchEvent(new (document.defaultView as unknown as Window).Event('visibilitychange') as unknown as globalThis.Event);
  await vi.waitFor(() => expect(received).toHaveLength(2), { timeout: 10_000 });
  expect(received[1]?.events).toEqual([{ event: 'crm', action: 'hide' }]);
});

test('an app that is away costs no memory', async () => {
  const tracker = new PageTracker({ url });
  for (let at = 0; at < 3_000; at += 1) tracker.track('crm');
  expect(tracker.dropped).toBe(2_000);
});

test('on a server nothing is kept', () => {
  vi.unstubAllGlobals();
  const tracker = new PageTracker({ url });
  tracker.track('crm');
  tracker.track('crm', { durationMs: -1 });
  expect(tracker.dropped).toBe(0);
});
