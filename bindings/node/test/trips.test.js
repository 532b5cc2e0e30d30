// Trips that are proposed to a store: by every driver, to real servers that are killed and come back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { Redis as IoRedis } from 'ioredis';
import pg from 'pg';
import postgresJs from 'postgres';
import { createClient } from 'redis';

import { Flags, engine, http } from '@esclusa/node';
import { postgres } from '@esclusa/node/postgres';
import { redis } from '@esclusa/node/redis';
import { Loopback, QUICK, skip as noServers, until } from '../../js/test/loopback.js';

const skip = noServers || (engine !== 'native' && 'guards need the native engine');
const GUARD = { event: 'checkout', errors: {} };
const row = (name, run = 1) => ({ name, enabled: true, rollout_percentage: 50, guard: GUARD, guard_state: { run } });
const trip = (flag, run = 1) => ({ flag, run, text: JSON.stringify({ run, at: '2026-12-01T14:03:00Z', metric: `it's "errors"\\`, by: 'app-7' }) });
const MIGRATIONS = ['001_esclusa', '002_guard'].map((name) => readFileSync(new URL(`../../../sync/migrations/${name}.sql`, import.meta.url), 'utf8'));
const here = fileURLToPath(new URL('.', import.meta.url));

/** Who has the feature. */
const cohort = (flags, key = 'crm') => Array.from({ length: 400 }, (_, user) => `user-${user}`).filter((user) => flags.isEnabled(key, { user }));
const isOff = (flags, key) => cohort(flags, key).length === 0;
/** 400 callers check out, and those who have the feature fail. */
const harm = (flags) => {
  for (let user = 0; user < 400; user += 1) {
    const context = { user: `user-${user}` };
    flags.track('checkout', context, { error: flags.isEnabled('crm', context) });
  }
};
const lineOf = (flags) => flags.guards().lines.find((line) => line.startsWith('crm: the trip of run'));
/** A logger that keeps what is said. */
const listening = () => {
  const said = [];
  return { said, logger: { warn: (message) => said.push(message), info: () => undefined } };
};

/** The stores look for `hidden` drivers in vain while the function runs: the driver that is left is taken. */
function without(hidden, call) {
  const { Module } = createRequire(import.meta.url)('node:module');
  const { _load: load } = Module;
  Module._load = (name, ...given) => {
    if (hidden.includes(name)) {
      throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
    }
    return load(name, ...given);
  };
  try {
    return call();
  } finally {
    Module._load = load;
  }
}

/** Another process, which prints `on` or `off` whenever that changes; nothing keeps it alive but its input. */
async function another(t, program, url) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', `
    const { Flags } = await import('@esclusa/node');
    const { postgres } = await import('@esclusa/node/postgres');
    const { redis } = await import('@esclusa/node/redis');
    const url = process.argv[1];
    const QUICK = ${JSON.stringify(QUICK)};
    ${program}
    let last;
    setInterval(() => {
      const now = flags.has('crm') ? (Array.from({ length: 400 }, (_, user) => flags.isEnabled('crm', { user: 'user-' + user })).some(Boolean) ? 'on' : 'off') : 'none';
      if (now !== last) console.log(last = now);
    }, 5).unref();
    process.stdin.resume();`, url], { stdio: ['pipe', 'pipe', 'inherit'], cwd: here });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const states = [];
  createInterface({ input: child.stdout }).on('line', (line) => states.push(line));
  const is = (state) => until(() => states.at(-1) === state);
  return { is, pid: child.pid };
}

async function database(t) {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { postgres: url } = await loopback.tell({ postgres: 'start' });
  const change = async (sql) => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    return client.query(sql).finally(() => client.end());
  };
  await change(MIGRATIONS[0]);
  await change(`SELECT esclusa.create_flags('public.feature_flags')`);
  await change(MIGRATIONS[1]);
  await change(`SELECT esclusa.guard('public.feature_flags')`);
  const insert = (name) => change(`INSERT INTO feature_flags (name, enabled, rollout_percentage, guard) VALUES ('${name}', true, 50, '${JSON.stringify(GUARD)}')`);
  await insert('crm');
  const rows = async () => (await change(`SELECT old_value, new_value, performed_by FROM release_history WHERE action = 'guard_trip' ORDER BY id`)).rows;
  return { loopback, url, change, insert, rows };
}

test('Postgres: a trip while the store is away is off at once, reaches it once, and a person brings the cohort back', { skip }, async (t) => {
  const { loopback, url, change, rows } = await database(t);
  const { said, logger } = listening();
  const store = postgres(url);
  const flags = Flags.fromSource(store, { ...QUICK, guard: true, propose: store, logger });
  t.after(() => flags.free());
  const other = await another(t, `const store = postgres(url); const flags = Flags.fromSource(store, { ...QUICK, guard: true, propose: store });`, url);
  await until(() => flags.has('crm'));
  await other.is('on');
  const before = cohort(flags);
  assert.ok(before.length > 150);

  await loopback.tell({ postgres: 'kill' });
  harm(flags);
  const began = Date.now();
  await until(() => isOff(flags));
  assert.ok(Date.now() - began < 2_000, `it took ${Date.now() - began} ms`);
  await until(() => /^crm: the trip of run 1 is not in the store yet: .*ECONNREFUSED/.test(lineOf(flags) ?? ''));
  const [{ flag, run, verdict, error }] = flags.guards().proposals;
  assert.deepEqual([flag, run, verdict, error.length > 0], ['crm', 1, null, true]);

  await loopback.tell({ postgres: 'start' });
  await until(() => lineOf(flags) === 'crm: the trip of run 1 is in the store');
  const taken = Date.now();
  await other.is('off');
  assert.ok(Date.now() - taken < 1_500, `the other process took ${Date.now() - taken} ms`);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const history = await rows();
  assert.equal(history.length, 1, 'the other process has proposed it, too, and it counts once');
  const { trip: kept } = (await change(`SELECT guard_state -> 'trip' AS trip FROM feature_flags`)).rows[0];
  assert.deepEqual([kept.metric, kept.evidence?.ledger ?? kept], ['errors', flags.guards().flags[0].trip.ledger]);

  await change(`SELECT esclusa.resume('crm', 'a person')`);
  await other.is('on');
  await until(() => !isOff(flags));
  assert.deepEqual(cohort(flags), before);
  await until(() => flags.guards().proposals.length === 0);
  const warned = said.filter((line) => /trips are not exchanged|the trip of run/.test(line));
  assert.deepEqual(warned.map((line) => line.replace(/(exchanged: ).*/, '$1')), [`esclusa: ${store.name}: trips are not exchanged: `, `esclusa: ${store.name}: crm: the trip of run 1 is in the store`]);
});

test('Postgres: every driver proposes, and every answer is understood', { skip }, async (t) => {
  const { url, change, insert, rows } = await database(t);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => undefined);
  const sql = postgresJs(url, { max: 2, onnotice: () => undefined });
  t.after(() => Promise.all([pool.end(), sql.end({ timeout: 0 })]));
  const stores = { pg: postgres(url), postgres: without(['pg'], () => postgres(async () => url)), pool: postgres(pool), instance: postgres(sql), named: postgres(url, { table: 'public.feature_flags' }) };
  for (const [name, store] of Object.entries(stores)) {
    await insert(name);
    assert.equal(await store.propose(trip(name)), 'taken', name);
    assert.equal(await store.propose(trip(name)), 'known', name);
    await change(`SELECT esclusa.resume('${name}')`);
    assert.deepEqual(await store.propose(trip(name)), { over: 2 }, name);
    await assert.rejects(store.propose(trip(name, 9)), /the run of .* is 2, and the trip is of run 9/, name);
    assert.equal(await store.propose(trip('nothing')), 'unguarded', name);
    await assert.rejects(store.propose({ flag: name, run: 2, text: '7' }), /expected an object/, name);
  }
  assert.equal((await rows()).length, Object.keys(stores).length);
  const { rows: [{ metric }] } = await change(`SELECT new_value #>> '{guard_state,trip,metric}' AS metric FROM release_history WHERE action = 'guard_trip' LIMIT 1`);
  assert.equal(metric, `it's "errors"\\`);
  const idle = async () => (await change(`SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'esclusa'`)).rows[0].count;
  await until(async () => (await idle()) === 0);
});

test('Postgres: a user without the right is told in the lines, and proposes again', { skip }, async (t) => {
  const { url, change, rows } = await database(t);
  await change(`CREATE ROLE app LOGIN; GRANT SELECT ON feature_flags TO app; SELECT esclusa.allow('app')`);
  const store = postgres(url.replace('postgres@', 'app@'));
  const flags = Flags.fromSource(store, { ...QUICK, guard: true, propose: store });
  t.after(() => flags.free());
  await until(() => flags.has('crm'));
  harm(flags);
  await until(() => lineOf(flags) === 'crm: the trip of run 1 is not in the store yet: permission denied for function trip');
  assert.ok(isOff(flags));
  await change(`SELECT esclusa.allow_guard('app')`);
  await until(() => lineOf(flags) === 'crm: the trip of run 1 is in the store');
  assert.equal((await rows()).length, 1);
});

test('Redis: a trip while the store is away reaches it, and another process takes it', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { redis: url } = await loopback.tell({ redis: 'start' });
  const snapshot = (run) => JSON.stringify({ esclusa: 1, revision: run, flags: [row('crm', run)] });
  const ask = async (...words) => {
    const client = createClient({ url });
    client.on('error', () => undefined);
    await client.connect();
    return client.sendCommand(words).finally(() => client.destroy());
  };
  await ask('SET', 'esclusa:flags', snapshot(1));
  const store = redis(url);
  const flags = Flags.fromSource(store, { ...QUICK, guard: true, propose: store });
  t.after(() => flags.free());
  const other = await another(t, `const store = redis(url); const flags = Flags.fromSource(store, { ...QUICK, guard: true, propose: store });`, url);
  await until(() => flags.has('crm'));
  await other.is('on');
  const before = cohort(flags);
  await loopback.tell({ redis: 'kill' });
  harm(flags);
  await until(() => isOff(flags));
  await until(() => /^crm: the trip of run 1 is not in the store yet: ./.test(lineOf(flags) ?? ''));
  await loopback.tell({ redis: 'start' });
  await ask('SET', 'esclusa:flags', snapshot(1));
  await ask('HSET', 'esclusa:flags:trips', 'broken', '{"run":', 'other', '{"run":"1"}');
  await until(() => lineOf(flags) === 'crm: the trip of run 1 is in the store');
  await other.is('off');
  const { run, metric } = JSON.parse(await ask('HGET', 'esclusa:flags:trips', 'crm'));
  assert.deepEqual([run, metric], [1, 'errors']);
  const third = new Flags({ guard: true, propose: redis(url) });
  t.after(() => third.free());
  third.publishSync([row('crm')]);
  const began = Date.now();
  await until(() => isOff(third));
  assert.ok(Date.now() - began < 2_000, `an idle process took ${Date.now() - began} ms`);
  await ask('SET', 'esclusa:flags', snapshot(2));
  await other.is('on');
  await until(() => !isOff(flags));
  assert.deepEqual(cohort(flags), before);
});

test('Redis: every driver proposes, and every answer is understood', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { redis: url } = await loopback.tell({ redis: 'start' });
  const own = createClient({ url });
  const resp3 = createClient({ url, RESP: 3 });
  const io = new IoRedis(url);
  const heard = [];
  const ear = own.duplicate();
  [own, resp3, io, ear].forEach((client) => client.on('error', () => undefined));
  await Promise.all([own, resp3, ear].map((client) => client.connect()));
  await ear.subscribe('told', (message) => heard.push(message));
  t.after(() => [own.destroy(), resp3.destroy(), ear.destroy(), io.disconnect()]);
  const options = { key: '{k}:flags', channel: 'told' };
  const stores = { redis: redis(url, options), ioredis: without(['redis'], () => redis(async () => url, options)), own: redis(own, options), resp3: redis(resp3, options), io: redis(io, options) };
  const all = [];
  for (const [name, store] of Object.entries(stores)) {
    assert.equal(await store.propose(trip(name)), 'taken', name);
    assert.equal(await store.propose(trip(name)), 'known', name);
    assert.equal(await store.propose(trip(name, 3)), 'taken', name);
    assert.equal(await store.propose(trip(name, 2)), 'known', name);
    all.push(trip(name, 3));
    const inside = [...(await store.trips())].sort((one, two) => all.findIndex(({ flag }) => flag === one.flag) - all.findIndex(({ flag }) => flag === two.flag));
    assert.deepEqual(inside, all, name);
    store.close();
    assert.equal(await store.propose(trip(name)), 'known', 'what was closed is opened again');
    store.close();
  }
  assert.deepEqual(heard, Object.keys(stores).flatMap((name) => [name, name]));
});

/** A server with the trips of GUARD.md, 2.1 to 2.3, for two guarded flags in these runs. */
async function trips(t) {
  const runs = new Map([['crm', 1], ['a/b', 4]]);
  const kept = new Map();
  const asked = [];
  const state = { status: null, unchanged: 0 };
  const server = createHttpServer(async (request, response) => {
    const { method, url, headers } = request;
    let body = '';
    for await (const piece of request) body += piece;
    asked.push(method);
    const say = (status, value = {}, more = {}) => response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(value));
    if (headers.authorization !== 'Bearer s3cret') return say(401);
    if (state.status !== null) return say(state.status, {}, state.headers);
    if (method === 'GET' && url === '/v1/trips') {
      const flags = [...kept].map(([name, trip]) => ({ name, trip }));
      const etag = `"${flags.length}"`;
      if (headers['if-none-match'] === etag) {
        state.unchanged += 1;
        return response.writeHead(304).end();
      }
      return say(200, { esclusa: 1, layer: 'trips', flags }, { etag });
    }
    const flag = decodeURIComponent(url.replace('/v1/trips/', ''));
    const run = runs.get(flag);
    assert.deepEqual([method, headers['content-type']], ['PUT', 'application/json']);
    if (run === undefined) return say(404);
    if (run !== JSON.parse(body).run) return say(409, { run });
    if (kept.has(flag)) return say(200, kept.get(flag));
    kept.set(flag, JSON.parse(body));
    return say(201);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/v1/trips`, runs, kept, asked, state };
}

test('HTTP: every answer is understood, and the trips are asked for with their tag', async (t) => {
  const { url, runs, state } = await trips(t);
  const store = http(url, { token: 's3cret' });
  assert.equal(store.name, url);
  assert.equal(await store.propose(trip('a/b', 4)), 'taken');
  assert.equal(await http(`${url}/`, { token: () => 's3cret' }).propose(trip('a/b', 4)), 'known');
  runs.set('a/b', 5);
  assert.deepEqual(await store.propose(trip('a/b', 4)), { over: 5 });
  await assert.rejects(store.propose(trip('a/b', 6)), /status 409 has no later `run`/);
  assert.equal(await store.propose(trip('nothing')), 'unguarded');
  await assert.rejects(http(url).propose(trip('crm')), /status 401, expected 200, 201, 404 or 409/);
  for (let times = 0; times < 3; times += 1) {
    assert.deepEqual(await store.trips(), [trip('a/b', 4)]);
  }
  assert.equal(state.unchanged, 2);
  Object.assign(state, { status: 503, headers: { 'retry-after': '7' } });
  await assert.rejects(store.propose(trip('crm')), { name: 'Failure', retryAfterMs: 7_000 });
  Object.assign(state, { status: 307, headers: { location: 'http://127.0.0.1:9/elsewhere' } });
  await assert.rejects(store.propose(trip('crm')), /status 307/);
  await assert.rejects(http('http://127.0.0.1:9/v1/trips').propose(trip('crm')), /cannot connect/);
});

test('HTTP: a trip while the server fails reaches it, and other flags take it', { skip: engine !== 'native' }, async (t) => {
  const { url, kept, state } = await trips(t);
  const [flags, other] = [1, 2].map(() => new Flags({ guard: true, propose: http(url, { token: 's3cret' }) }));
  t.after(() => [flags.free(), other.free()]);
  [flags, other].forEach((each) => each.publishSync([row('crm')]));
  state.status = 503;
  harm(flags);
  await until(() => lineOf(flags) === 'crm: the trip of run 1 is not in the store yet: the answer has the status 503, expected 200, 201, 404 or 409');
  assert.ok(isOff(flags) && !isOff(other));
  state.status = null;
  const changed = [];
  other.onPublish((report) => changed.push(...report.changed));
  await until(() => isOff(other));
  assert.deepEqual([kept.get('crm').metric, changed], ['errors', ['crm']]);
  await until(() => lineOf(other) === 'crm: the trip of run 1 is in the store');
});

test('a store that hangs delays nothing, and keeps no process alive', { skip: engine !== 'native' }, async (t) => {
  const silent = createServer(() => undefined);
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const sockets = new Set();
  silent.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    silent.close();
  });
  const at = `127.0.0.1:${silent.address().port}`;
  const stores = { Postgres: postgres(`postgres://app@${at}/app`), Redis: redis(`redis://${at}`), HTTP: http(`http://${at}/v1/trips`), own: { name: 'own', propose: () => new Promise(() => undefined), trips: () => new Promise(() => undefined) } };
  const all = Object.entries(stores).map(([name, propose]) => [name, new Flags({ guard: true, propose })]);
  t.after(() => all.forEach(([, flags]) => flags.free()));
  const logged = t.mock.method(console, 'warn', () => undefined).mock;
  for (const [name, flags] of all) {
    flags.publishSync([row('crm'), row('billing')]);
    const began = performance.now();
    for (let times = 0; times < 100; times += 1) harm(flags);
    assert.ok(performance.now() - began < 2_000, name);
    await until(() => isOff(flags));
    assert.ok(performance.now() - began < 3_000, `${name}: ${performance.now() - began} ms`);
  }
  await until(() => all.every(([, flags]) => lineOf(flags) === 'crm: the trip of run 1 is not in the store yet: no answer within 10 s' || /time/i.test(lineOf(flags) ?? '')));
  assert.ok(logged.calls.some(({ arguments: said }) => /^esclusa: own: trips are not exchanged: no answer within 10 s$/.test(said[0])));
  const program = `import { Flags, http } from '@esclusa/node'; import { postgres } from '@esclusa/node/postgres'; import { redis } from '@esclusa/node/redis';
    const at = process.argv[1];
    for (const propose of [postgres('postgres://app@' + at + '/app', { timeoutMs: 500 }), redis('redis://' + at), http('http://' + at)]) {
      const flags = new Flags({ guard: true, propose });
      flags.publishSync(${JSON.stringify([{ ...row('crm'), guard_state: { run: 1, trip: { run: 1 } } }])});
      globalThis.flags = [...(globalThis.flags ?? []), flags];
    }
    setTimeout(() => console.log(globalThis.flags.map((flags) => flags.guards().proposals.length).join()), 1_500);`;
  const { stdout, stderr, signal } = await new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, at], { cwd: here, timeout: 30_000 });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (piece) => (said.stdout += piece));
    child.stderr.on('data', (piece) => (said.stderr += piece));
    child.on('exit', (_, signal) => resolve({ ...said, signal }));
  });
  assert.deepEqual([stdout.trim(), signal], ['1,1,1', null], stderr);
});

test('a store of your own: what it throws and what it says is shown, and it is asked again', { skip: engine !== 'native' }, async (t) => {
  const logged = t.mock.method(console, 'warn', () => undefined).mock;
  const answers = [() => { throw new Error('thrown at redis://u:s3cret@h'); }, async () => 'yes', async () => 'taken'];
  const asked = [];
  let closed = 0;
  const store = {
    name: 'own',
    async propose(given) {
      asked.push(given);
      return given.flag === 'crm' ? answers.shift()() : 'known';
    },
    trips: async () => [{ flag: 'broken', run: 1, text: '{"run":' }, { flag: 'billing', run: 1, text: '{"run":1,"metric":"slow"}' }],
    close: () => (closed += 1),
  };
  const flags = new Flags({ guard: true, propose: store });
  flags.publishSync([row('crm'), row('billing')]);
  const shown = new Set();
  harm(flags);
  await until(() => shown.add(lineOf(flags)) && lineOf(flags) === 'crm: the trip of run 1 is in the store');
  assert.ok(isOff(flags, 'billing'), 'a trip of the store that is broken does not keep out the others');
  assert.ok([...shown].some((line) => /is not in the store yet: thrown at/.test(line) && !line.includes('s3cret')), [...shown].join('\n'));
  assert.ok([...shown].some((line) => /the answer to a trip does not fit, expected `taken`/.test(line)), [...shown].join('\n'));
  assert.deepEqual(asked.map(({ flag, run, text }) => [flag, run, JSON.parse(text).run]).sort(), [['billing', 1, 1], ...Array(3).fill(['crm', 1, 1])]);
  assert.ok(logged.calls.some(({ arguments: said }) => /^esclusa: own: the trip of `broken` cannot be read: /.test(said[0])));
  flags.free();
  assert.equal(closed, 1);
  const times = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.equal(asked.length, times);
});

test('a store that does not fit is refused', () => {
  for (const wrong of [7, 'redis://u:s3cret@h', {}, () => 'taken']) {
    assert.throws(() => new Flags({ guard: true, propose: wrong }), { name: 'TypeError', message: '`propose` does not fit, expected a store of trips, such as `postgres(…)`, `redis(…)` or `http(…)`' });
  }
  assert.throws(() => new Flags({ propose: http('http://127.0.0.1:9') }), { name: 'TypeError', message: '`propose` is for the trips of guards, expected the option `guard` beside it' });
  new Flags({ guard: false, propose: null }).free();
});
