// `POST /v1/track` in the servers that apps have, and callers who would shut a feature.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import test from 'node:test';
import fastify from 'fastify';

import { Flags, engine, trackHandler } from '@esclusa/node';
import { until } from '../../js/test/loopback.js';

const native = { skip: engine !== 'native' };
const schema = JSON.parse(readFileSync(new URL('../../../spec/track.schema.json', import.meta.url), 'utf8'));
const body = (events) => JSON.stringify({ esclusa: 1, events });
const view = { event: 'crm', action: 'view', shown: 'children' };
const guarded = (guard) => [{ name: 'crm', enabled: true, rollout_percentage: 50, guard: { event: 'checkout', errors: {}, ...guard } }];
const flagsOf = (t, rows = guarded(), options = { guard: engine === 'native' }) => {
  const flags = new Flags(options);
  flags.publishSync(rows);
  t.after(() => flags.free());
  const seen = [];
  flags.onTrack((tracked) => seen.push(tracked));
  return { flags, seen };
};
/** The session is a header, as a cookie would be. */
const caller = (request) => {
  const user = typeof request.headers.get === 'function' ? request.headers.get('x-session') : request.headers['x-session'];
  return user ? { user, plan: 'PREMIUM' } : null;
};
const json = { 'content-type': 'application/json' };
const post = (text, headers = {}) => new Request('http://app/v1/track', { method: 'POST', body: text, headers: { ...json, 'x-session': 'u', ...headers } });
const isOff = (flags) => Array.from({ length: 400 }, (_, user) => flags.isEnabled('crm', { user: `user-${user}` })).every((isOn) => !isOn);

test('events are taken for the caller of the session, and unknown names are refused one by one', async (t) => {
  const { flags, seen } = flagsOf(t);
  const handle = trackHandler(flags, caller);
  const events = [view, { event: 'chekout' }, { event: 'crm.feedback', value: 4, fields: { step: 'payment' } }, { event: 'checkout', error: true, duration_ms: 812, variant: 'b' }, { event: 'crmx.feedback' }];
  const response = await handle(post(body(events)));
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'application/json']);
  const refused = [1, 4].map((at) => ({ at, problem: `\`${events[at].event}\` is no flag and no event of a guard` }));
  if (engine === 'wasm') {
    // Without guards no event of a guard is known.
    refused.splice(1, 0, { at: 3, problem: '`checkout` is no flag and no event of a guard' });
  }
  assert.deepEqual(await response.json(), { taken: 5 - refused.length, refused });
  const expected = [
    { event: 'crm', error: false, durationMs: null, value: null, fields: { action: 'view', shown: 'children' } },
    { event: 'crm.feedback', error: false, durationMs: null, value: 4, fields: { step: 'payment' } },
    ...(engine === 'native' ? [{ event: 'checkout', error: true, durationMs: 812, value: null, fields: { variant: 'b' } }] : []),
  ];
  assert.deepEqual(seen.map(({ context, fromBrowser, ...rest }) => [JSON.parse(JSON.stringify(context)), fromBrowser, rest]), expected.map((rest) => [{ user: 'u', plan: 'PREMIUM' }, true, rest]));
});

test('a request that is not of its form says where, what and what was expected', async (t) => {
  const { flags, seen } = flagsOf(t);
  const handle = trackHandler(flags, caller, { sessionOf: () => String(Math.random()) });
  const long = 'x'.repeat(201);
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`f${at}`, at]));
  const cases = [
    [post('{', {}), 400, /^the body is not JSON: /],
    [post('[]'), 400, /^`` does not fit, expected an object$/],
    [post('{"events": []}'), 400, /^`\/esclusa`: nothing does not fit, expected 1$/],
    [post('{"esclusa": 1}'), 400, /^`\/events` does not fit, expected a list of 1 to 100 events$/],
    [post(body([])), 400, /^`\/events` does not fit, expected a list/],
    [post(body(Array(101).fill(view))), 400, /^`\/events` does not fit, expected a list/],
    [post(body([view, 7])), 400, /^`\/events\/1` does not fit, expected an object$/],
    [post(body([{ action: 'view' }])), 400, /^`\/events\/0` has no `event`, expected the name of one$/],
    [post(body([{ event: long }])), 400, /^`\/events\/0\/event`: "x{49}… does not fit, expected a text of 1 to 200 characters$/],
    [post(body([{ ...view, user: 'admin' }])), 400, /^`\/events\/0\/user` is not a field, expected one of event, action, /],
    [post(body([{ event: 'crm', duration_ms: -1 }])), 400, /^`\/events\/0\/duration_ms`: -1 does not fit, expected a number from 0 to 86400000$/],
    [post(body([{ event: 'crm', error: 1 }])), 400, /^`\/events\/0\/error`: 1 does not fit, expected true or false$/],
    [post(body([{ event: 'crm', shown: 'nothing' }])), 400, /expected `children` or `fallback`$/],
    [post('{"esclusa": 1, "events": [{"event": "crm", "value": 1e999}]}'), 400, /^`\/events\/0\/value`: null does not fit, expected a number$/],
    [post(body([{ event: 'crm', fields: { deep: {} } }])), 400, /^`\/events\/0\/fields\/deep`: {} does not fit, expected a boolean, /],
    [post(body([{ event: 'crm', fields: many }])), 400, /^`\/events\/0\/fields` does not fit, expected an object of at most 20 fields$/],
    [post(body([{ event: 'crm', __proto__: null, constructor: 1 }])), 400, /^`\/events\/0\/constructor` is not a field/],
    [post('{"esclusa": 1, "events": [{"event": "crm", "__proto__": {}}]}'), 400, /^`\/events\/0\/__proto__` is not a field/],
    [post(body([view]), { 'content-type': 'text/plain' }), 415, /^the type is `text\/plain`, expected application\/json$/],
    [post(body(Array(100).fill({ event: 'crm', fields: { text: 'x'.repeat(199) } }))), 413, /^the body is too large, expected at most 16384 bytes$/],
    [post(body([view]), { 'x-session': '' }), 401, /^there is no session, expected one$/],
    [new Request('http://app/v1/track', { headers: json }), 405, /^the method is GET, expected POST$/],
  ];
  for (const [request, status, detail] of cases) {
    const response = await handle(request);
    const problem = await response.json();
    assert.deepEqual([response.status, problem.status, response.headers.get('content-type')], [status, status, 'application/problem+json'], problem.detail);
    assert.match(problem.detail, detail);
    assert.ok(problem.title);
  }
  assert.deepEqual(seen, []);
  // What the schema allows and forbids is what is allowed and forbidden here.
  const { properties } = schema.$defs.event;
  const { taken } = await (await handle(post(body([{ event: 'crm', action: 'a'.repeat(properties.action.maxLength), variant: 'v'.repeat(properties.variant.maxLength), duration_ms: properties.duration_ms.maximum, error: false, value: -1.5, shown: 'fallback', fields: {} }])))).json();
  assert.equal(taken, 1);
  assert.deepEqual(Object.keys(properties), ['event', 'action', 'shown', 'variant', 'error', 'duration_ms', 'value', 'fields']);
});

test('an app that fails to say who the caller is answers 500, and its reason is in the log alone', async (t) => {
  const failed = t.mock.method(console, 'error', () => undefined).mock;
  const { flags } = flagsOf(t);
  const response = await trackHandler(flags, async () => { throw new Error('the password is 1234'); })(post(body([view])));
  assert.deepEqual([response.status, (await response.text()).includes('1234'), failed.callCount()], [500, false, 1]);
});

/** A server on loopback with the handler, and what it answers. */
const serve = async (t, listener) => {
  const server = createServer(listener);
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}/v1/track`;
};
const send = async (url, text, headers = {}) => {
  const response = await fetch(url, { method: 'POST', body: text, headers: { ...json, 'x-session': 'u', ...headers }, duplex: 'half' });
  return [response.status, (await response.json()).taken];
};

test('node:http, with and without a parser of bodies as in Express', async (t) => {
  const { flags, seen } = flagsOf(t);
  const handle = trackHandler(flags, caller, { sessionOf: () => String(Math.random()) });
  const url = await serve(t, handle);
  assert.deepEqual(await send(url, body([view, view])), [200, 2]);
  assert.deepEqual(await send(url, '{'), [400, undefined]);
  assert.deepEqual(await send(url, body(Array(100).fill({ event: 'crm', fields: { text: 'x'.repeat(199) } }))), [413, undefined]);
  const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode(' '.repeat(4_096))) });
  assert.deepEqual(await send(url, stream).catch(() => [413, undefined]), [413, undefined], 'a body without end and without a length');
  for (const parse of [(text) => JSON.parse(text), (text) => text, (text) => Buffer.from(text)]) {
    const parsing = await serve(t, async (request, response) => {
      const chunks = [];
      for await (const chunk of request) {
        chunks.push(chunk);
      }
      request.body = parse(Buffer.concat(chunks).toString());
      await handle(request, response, () => undefined);
    });
    assert.deepEqual(await send(parsing, body([view])), [200, 1]);
  }
  assert.equal(seen.length, 5);
  // A connection that closes within the body leaves nothing behind.
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('POST /v1/track HTTP/1.1\r\nhost: app\r\nx-session: u\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{');
  await once(socket.resume(), 'close');
  assert.deepEqual(await send(url, body([view])), [200, 1]);
});

test('Fastify, whose parser has read the body', async (t) => {
  const { flags, seen } = flagsOf(t);
  const app = fastify();
  t.after(() => app.close());
  app.post('/v1/track', trackHandler(flags, caller));
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/v1/track`;
  assert.deepEqual(await send(url, body([view])), [200, 1]);
  assert.deepEqual(await send(url, body([view]), { 'x-session': '' }), [401, undefined]);
  assert.equal(seen.length, 1);
});

test('a session may send 10 requests at once and then one each second, and others are not held up', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1e12 });
  const { flags } = flagsOf(t);
  const handle = trackHandler(flags, caller);
  const statuses = async (count, session) => {
    const all = [];
    for (let at = 0; at < count; at += 1) {
      const { status, headers } = await handle(post(body([view]), { 'x-session': session }));
      all.push([status, headers.get('retry-after')]);
    }
    return all;
  };
  assert.deepEqual(await statuses(12, 'a'), [...Array(10).fill([200, null]), [429, '1'], [429, '1']]);
  assert.deepEqual(await statuses(1, 'b'), [[200, null]]);
  t.mock.timers.setTime(1e12 + 2_500);
  assert.deepEqual(await statuses(3, 'a'), [[200, null], [200, null], [429, '1']]);
  t.mock.timers.setTime(1e12 + 60_000);
  assert.deepEqual((await statuses(11, 'a')).filter(([status]) => status === 200).length, 10);
});

test('100,000 forged errors of one session trip nothing, with and without `from_browser`', native, async (t) => {
  for (const from_browser of [false, true]) {
    const { flags, seen } = flagsOf(t, guarded({ from_browser }));
    const handle = trackHandler(flags, caller);
    const forged = body(Array(100).fill({ event: 'checkout', error: true, duration_ms: 86_400_000 }));
    const statuses = { 200: 0, 429: 0 };
    for (let at = 0; at < 1_000; at += 1) {
      const { status, headers } = await handle(post(forged));
      statuses[status] += 1;
      assert.equal(headers.has('retry-after'), status === 429);
    }
    assert.ok(statuses[200] >= 10 && statuses[200] < 30 && statuses[200] + statuses[429] === 1_000, JSON.stringify(statuses));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.ok(!isOff(flags));
    const [{ state, onUnits, offUnits }] = flags.guards().flags;
    assert.deepEqual([state, onUnits + offUnits], ['waiting', from_browser ? 1 : 0]);
    assert.equal(seen.length, statuses[200] * 100, 'all that were taken are usage');
  }
});

test('honest events of many sessions trip a guard that counts them, and no other', native, async (t) => {
  t.mock.method(console, 'warn', () => undefined);
  for (const from_browser of [true, false]) {
    const { flags } = flagsOf(t, guarded({ from_browser }));
    const handle = trackHandler(flags, caller);
    for (let user = 0; user < 400; user += 1) {
      const error = flags.isEnabled('crm', { user: `user-${user}`, plan: 'PREMIUM' });
      assert.equal((await handle(post(body([{ event: 'checkout', error }]), { 'x-session': `user-${user}` }))).status, 200);
    }
    if (from_browser) {
      await until(() => isOff(flags));
    } else {
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      assert.ok(!isOff(flags));
    }
  }
});
