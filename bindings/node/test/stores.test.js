// The sources for Postgres and Redis, by every driver, against real servers that are killed and come back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';

import { Redis as IoRedis } from 'ioredis';
import pg from 'pg';
import postgresJs from 'postgres';
import { createClient } from 'redis';

import { Flags, cached, engine, layers } from '@esclusa/node';
import { postgres } from '@esclusa/node/postgres';
import { redis } from '@esclusa/node/redis';
import { Loopback, QUICK, document, skip, until } from '../../js/test/loopback.js';

/** So seldom asked that what comes was told. */
const TOLD = { ...QUICK, intervalMs: 600_000, staleAfterMs: 1_200_000, backoffMaxMs: 500, timeoutMs: 10_000 };
const MIGRATION = readFileSync(new URL('../../../sync/migrations/001_esclusa.sql', import.meta.url), 'utf8');
const POOLER = 'a pooler is between, which may hand on no notifications';

/** The sources look for `hidden` drivers in vain while the function runs: the driver that is left is taken. */
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

/** A process that reads from the store ends by itself. */
function ends(program, url) {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program, url], { encoding: 'utf8', timeout: 60_000, cwd: new URL('.', import.meta.url) });
  assert.match(stdout, /true fresh\n$/, stderr);
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
  await change(MIGRATION);
  await change(`SELECT esclusa.create_flags('public.feature_flags')`);
  await change(`INSERT INTO feature_flags (name, enabled, rollout_percentage) VALUES ('crm', true, 100)`);
  const turn = (on) => change(`UPDATE feature_flags SET enabled = ${on} WHERE name = 'crm'`);
  return { loopback, url, change, turn };
}

test('Postgres: told of every change by each driver, and again after the server was killed', { skip }, async (t) => {
  const { loopback, url, turn } = await database(t);
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => undefined);
  // By itself it waits for up to 20 seconds before it connects again.
  const sql = postgresJs(url, { max: 2, backoff: () => 0.1, onnotice: () => undefined });
  t.after(() => Promise.all([pool.end(), sql.end({ timeout: 0 })]));
  const sources = {
    pg: postgres(url),
    postgres: without(['pg'], () => postgres(async () => url)),
    'a pool': postgres(pool),
    'an instance': postgres(sql),
  };
  const all = Object.entries(sources).map(([name, source]) => [name, Flags.fromSource(source, TOLD)]);
  const are = (on, state = 'fresh') => until(() => all.every(([, flags]) => flags.has('crm') && flags.isEnabled('crm') === on && flags.status().state === state));
  await are(true);
  for (const [name, flags] of all) {
    assert.deepEqual([flags.status().polled, flags.status().failures], [null, 0], name);
    assert.equal(typeof flags.revision, 'number');
  }
  assert.equal(sources.pg.name, url.replace('postgres@', '').split('?')[0]);
  assert.equal(sources.postgres.name, sources.pg.name);
  for (const on of [false, true, false, true, false]) {
    await turn(on);
    await are(on);
  }
  const heard = [];
  all.forEach(([, flags]) => flags.onPublish(({ changed }) => heard.push(changed)));
  all.forEach(([, flags]) => flags.refresh());
  await until(() => all.every(([, flags]) => flags.status().ageMs < 200));
  assert.deepEqual(heard, [], 'what has not changed is not read');
  // A server that starts again refuses connections for a moment, at which each driver must not lose its notifications.
  for (let round = 0; round < 5; round += 1) {
    await loopback.tell({ postgres: 'kill' });
    all.forEach(([, flags]) => flags.refresh());
    await are(false, 'failing');
    await loopback.tell({ postgres: 'start' });
    await turn(true);
    await are(true);
    await turn(false);
    await are(false);
  }
  all.forEach(([, flags]) => flags.free());
  for (const [hidden, driver] of [[[], 'pg'], [['pg'], 'postgres']]) {
    const hide = `const { Module } = (await import('node:module')).default; const load = Module._load; Module._load = (name, ...given) => { if (${JSON.stringify(hidden)}.includes(name)) throw Object.assign(new Error(''), { code: 'MODULE_NOT_FOUND' }); return load(name, ...given); };`;
    t.diagnostic(driver);
    ends(`${hide}
      const { Flags } = await import('@esclusa/node'); const { postgres } = await import('@esclusa/node/postgres');
      process.chdir('/'); // the driver is found from where the package lies
      const flags = Flags.fromSource(postgres(process.argv[1])); console.log(await flags.ready(60_000), flags.status().state);`, url);
  }
});

test('Postgres: an instance of `postgres` in a bundle, without the package, is polled, and the status says so', { skip }, async (t) => {
  const { url, turn } = await database(t);
  const sql = postgresJs(url, { max: 2 });
  t.after(() => sql.end({ timeout: 0 }));
  const flags = Flags.fromSource(without(['pg', 'postgres'], () => postgres(sql)), QUICK);
  for (const on of [true, false, true]) {
    await turn(on);
    await until(() => flags.has('crm') && flags.isEnabled('crm') === on);
  }
  const { polled, failures } = flags.status();
  assert.deepEqual([polled, failures], ['the package `postgres` is not found, which is needed for notifications', 0]);
  flags.free();
});

test('Postgres: behind a pooler, polled, and the status says so', { skip }, async (t) => {
  const { loopback, turn } = await database(t);
  const { pooler } = await loopback.tell({ pooler: 'start' });
  const all = [
    Flags.fromSource(postgres(pooler), QUICK),
    Flags.fromSource(without(['pg'], () => postgres(pooler)), QUICK),
    Flags.fromSource(layers(cached(postgres(pooler), '/nonexistent/copy.json'), () => '{"esclusa": 1, "flags": []}'), QUICK),
  ];
  for (const on of [false, true, false, true]) {
    await turn(on);
    await until(() => all.every((flags) => flags.has('crm') && flags.isEnabled('crm') === on));
  }
  assert.deepEqual(all.slice(0, 2).map((flags) => [flags.status().polled, flags.status().failures]), [[POOLER, 0], [POOLER, 0]]);
  assert.ok(all[2].status().polled.endsWith(POOLER));
  all.forEach((flags) => flags.free());
});

test('Postgres: rows that are hidden, triggers that are lost, a lock, and no migration', { skip }, async (t) => {
  const { url, change, turn } = await database(t);
  await change(`CREATE ROLE reader LOGIN; GRANT SELECT ON feature_flags TO reader; SELECT esclusa.allow('reader')`);
  const warnings = [];
  const flags = Flags.fromSource(postgres(url.replace('postgres@', 'reader@'), { timeoutMs: 500, warn: (message) => warnings.push(message) }), QUICK);
  await until(() => flags.isEnabled('crm'));
  await change('ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY');
  await until(() => /row-level security is active/.test(flags.status().lastError?.error ?? ''));
  assert.equal(flags.isEnabled('crm'), true);
  await change('ALTER TABLE feature_flags DISABLE ROW LEVEL SECURITY');
  await until(() => flags.status().state === 'fresh');
  await change('ALTER TABLE feature_flags DISABLE TRIGGER esclusa_tell');
  await turn(false);
  await until(() => !flags.isEnabled('crm'));
  assert.ok(warnings.some((message) => /read row by row: .*has no trigger that counts its changes/.test(message)), warnings.join());
  await change(`SELECT esclusa.watch('feature_flags')`);
  await turn(true);
  await until(() => flags.isEnabled('crm') && flags.status().state === 'fresh');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE feature_flags, esclusa.change, esclusa.watched');
  await until(() => flags.status().state === 'failing');
  assert.equal(flags.isEnabled('crm'), true);
  await client.end();
  await until(() => flags.status().state === 'fresh');
  flags.free();
  await change('CREATE DATABASE plain');
  const plain = url.replace('/postgres?', '/plain?');
  const there = new pg.Client({ connectionString: plain });
  await there.connect();
  await there.query(`CREATE SCHEMA app; CREATE TABLE app.feature_flags (name text, enabled bool); CREATE TABLE app."Other's" (name text, enabled bool)`);
  await there.query(`INSERT INTO app.feature_flags VALUES ('crm', true); INSERT INTO app."Other's" VALUES ('other', true)`);
  const byRows = Flags.fromSource(postgres(`${plain}&schema=app&pgbouncer=true`), QUICK);
  const other = Flags.fromSource(without(['pg'], () => postgres(`${plain}&connection_limit=1`, { table: `app."Other's"` })), QUICK);
  await until(() => byRows.isEnabled('crm') && other.isEnabled('other'));
  await there.query('UPDATE app.feature_flags SET enabled = false');
  await until(() => !byRows.isEnabled('crm'));
  byRows.free();
  other.free();
  await there.end();
});

test('Postgres: a password that rotates is asked for anew, and said nowhere', { skip }, async (t) => {
  const { url, change } = await database(t);
  await change(`CREATE ROLE rotating LOGIN PASSWORD 'first-s3cret'; SELECT esclusa.allow('rotating'); GRANT SELECT ON feature_flags TO rotating`);
  const { rows: [{ hba_file: hba }] } = await change('SHOW hba_file');
  writeFileSync(hba, `host all rotating 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`);
  await change('SELECT pg_reload_conf()');
  let password = 'first-s3cret';
  const address = url.replace('postgres@', 'rotating@');
  const said = [];
  const logger = { warn: (message) => said.push(message), info: (message) => said.push(message) };
  const all = [
    Flags.fromSource(postgres(address, { password: async () => password }), { ...QUICK, logger }),
    Flags.fromSource(without(['pg'], () => postgres(() => address.replace('@', `:${password}@`))), { ...QUICK, logger }),
  ];
  const are = (state) => until(() => all.every((flags) => flags.isEnabled('crm') && flags.status().state === state));
  await are('fresh');
  await change(`ALTER ROLE rotating PASSWORD 'second-s3cret'`);
  await change(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotating'`);
  await are('failing');
  password = 'second-s3cret';
  await are('fresh');
  all.forEach((flags) => flags.free());
  assert.match(said.join(), /password authentication failed/);
  assert.doesNotMatch(said.join(), /s3cret/);
});

test('addresses that cannot be read, and drivers that are missing, are said without secrets', () => {
  for (const wrong of ['mysql://u:s3cret@h/d', 'postgres://u:a/s3cret@h/d', 's3cret', 'host=h password=s3cret']) {
    assert.throws(() => postgres(wrong), (problem) => problem instanceof TypeError && /expected/.test(problem.message) && !/s3cret/.test(problem.message));
    assert.throws(() => redis(wrong), (problem) => problem instanceof TypeError && /expected/.test(problem.message) && !/s3cret/.test(problem.message));
  }
  assert.throws(() => postgres({}), /this is no database, expected a connection string/);
  assert.throws(() => redis(null), /this is no store, expected an address/);
  assert.throws(() => without(['pg', 'postgres'], () => postgres('postgres://h')), /expected `npm install pg` or `postgres`/);
  assert.throws(() => without(['redis', 'ioredis'], () => redis('redis://h')), /expected `npm install redis` or `ioredis`/);
  assert.equal(postgres('postgresql+asyncpg://u:p@h:5433/d?sslmode=require').name, 'postgres://h:5433/d');
  assert.equal(redis('rediss://u:p@h:7000/3', { key: 'k' }).name, 'redis://h:7000/3 k');
});

test('Redis: told of every change by each driver, and again after the server was killed', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { redis: url } = await loopback.tell({ redis: 'start' });
  let revision = 0;
  const put = async () => {
    const client = createClient({ url });
    client.on('error', () => undefined);
    await client.connect();
    revision += 1;
    await client.multi().set('esclusa:flags', document(revision, { crm: revision % 2 === 1 })).set('esclusa:flags:etag', String(revision)).publish('esclusa:flags', '').exec();
    client.destroy();
  };
  await put();
  const own = createClient({ url });
  own.on('error', () => undefined);
  await own.connect();
  const io = new IoRedis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 1 });
  io.on('error', () => undefined);
  t.after(() => [own.isOpen && own.destroy(), io.disconnect()]);
  const all = [redis(url), without(['redis'], () => redis(async () => url)), redis(own), redis(io)].map((source) => Flags.fromSource(source, TOLD));
  const are = (state = 'fresh') => until(() => all.every((flags) => flags.revision === revision && flags.status().state === state));
  await are();
  assert.deepEqual(all.map((flags) => [flags.status().polled, flags.status().failures]), all.map(() => [null, 0]));
  for (let times = 0; times < 5; times++) {
    await put();
    await are();
  }
  const count = async () => Number(/cmdstat_getrange:calls=(\d+)/.exec(await own.info('commandstats'))?.[1] ?? 0);
  const before = await count();
  all.forEach((flags) => flags.refresh());
  await until(async () => (await count()) >= before + 2 * all.length);
  await loopback.tell({ redis: 'kill' });
  all.forEach((flags) => flags.refresh());
  await are('failing');
  assert.ok(all.every((flags) => flags.has('crm')));
  await loopback.tell({ redis: 'start' });
  await put();
  await are();
  await put();
  await are();
  all.forEach((flags) => flags.free());
  const missing = Flags.fromSource(redis(url, { key: 'nothing' }), QUICK);
  await until(() => missing.status().lastError?.error === 'there is no key `nothing`, expected a snapshot under it');
  missing.free();
  for (const hidden of [[], ['redis']]) {
    const hide = `const { Module } = (await import('node:module')).default; const load = Module._load; Module._load = (name, ...given) => { if (${JSON.stringify(hidden)}.includes(name)) throw Object.assign(new Error(''), { code: 'MODULE_NOT_FOUND' }); return load(name, ...given); };`;
    ends(`${hide}
      const { Flags } = await import('@esclusa/node'); const { redis } = await import('@esclusa/node/redis');
      process.chdir('/');
      const flags = Flags.fromSource(redis(process.argv[1])); console.log(await flags.ready(60_000), flags.status().state);`, url);
  }
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     const { Flags } = require('@esclusa/node'); const { redis } = require('@esclusa/node/redis');
     const flags = Flags.fromSource(redis(workerData), { logger: null });
     flags.ready(60_000).then((is) => { parentPort.postMessage([is, flags.revision]); flags.free(); });`,
    { eval: true, workerData: url },
  );
  assert.deepEqual((await once(worker, 'message'))[0], [true, revision], engine);
  await once(worker, 'exit');
});

test('Redis: a user who may not subscribe, and whose password rotates', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { redis: url } = await loopback.tell({ redis: 'start' });
  const admin = createClient({ url });
  await admin.connect();
  const put = (revision) => admin.set('esclusa:flags', document(revision, { crm: true }));
  await put(1);
  await admin.sendCommand(['ACL', 'SETUSER', 'reader', 'on', '>first-s3cret', '~esclusa:flags', '+get', '+hello', '+client', '+info']);
  let password = 'first-s3cret';
  const address = url.replace('redis://', 'redis://reader@');
  const said = [];
  const logger = { warn: (message) => said.push(message), info: (message) => said.push(message) };
  const all = [
    Flags.fromSource(redis(address, { password: async () => password }), { ...QUICK, logger }),
    Flags.fromSource(without(['redis'], () => redis(() => address.replace('@', `:${password}@`))), { ...QUICK, logger }),
  ];
  const are = (revision, state = 'fresh') => until(() => all.every((flags) => flags.revision === revision && flags.status().state === state));
  await are(1);
  assert.deepEqual(all.map((flags) => flags.status().polled), Array(2).fill('the server does not let this user subscribe'));
  await put(2);
  await are(2);
  await admin.sendCommand(['ACL', 'SETUSER', 'reader', '<first-s3cret', '>second-s3cret']);
  await admin.sendCommand(['CLIENT', 'KILL', 'USER', 'reader']);
  await are(2, 'failing');
  password = 'second-s3cret';
  await are(2);
  assert.doesNotMatch(said.join(), /s3cret/);
  all.forEach((flags) => flags.free());
  admin.destroy();
});
