// The README's recipes against a real Postgres and a real Redis, which are killed and come back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import pg from 'pg';
import { createClient } from 'redis';

import { Flags } from '@esclusa/node';
import { Loopback, QUICK, document, skip, until } from '../../js/test/loopback.js';
import { blocksOf } from '../../js/test/readme.js';

const README = new URL('../README.md', import.meta.url);
/** So seldom asked that what comes was told. */
const TOLD = { ...QUICK, intervalMs: 20_000, staleAfterMs: 600_000, backoffMaxMs: 500, timeoutMs: 5_000 };
const MIGRATION = readFileSync(new URL('../../../sync/migrations/001_esclusa.sql', import.meta.url), 'utf8');

/** What a recipe exports, with its server's address in a variable of the environment. */
async function recipe(t, heading, variable, url) {
  const { code } = blocksOf(README).find((block) => block.heading === heading);
  const file = new URL(`recipe-${heading.toLowerCase()}-${process.pid}.mjs`, README);
  writeFileSync(file, code);
  t.after(() => rmSync(file));
  process.env[variable] = url;
  return { file: fileURLToPath(file), ...(await import(file)) };
}

/** A process that does what the recipe does ends by itself. */
function ends(file) {
  const program = `const { flags } = await import(process.argv[1]);\nconsole.log(await flags.ready(60_000), flags.keys().length);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program, file], { encoding: 'utf8', timeout: 60_000 });
  assert.match(stdout, /true \d+\n$/, stderr);
}

test('Postgres: told of every change, and again after the server was killed', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { postgres: url } = await loopback.tell({ postgres: 'start' });
  const change = async (sql) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await change(MIGRATION);
  await change(`SELECT esclusa.create_flags('public.feature_flags')`);
  await change(`INSERT INTO feature_flags (name, enabled, rollout_percentage) VALUES ('crm', true, 100)`);
  const { postgres, flags: usual, file } = await recipe(t, 'Postgres', 'DATABASE_URL', url);
  assert.equal(await usual.ready(60_000), true);
  usual.free();
  const flags = Flags.fromSource(postgres(url), TOLD);
  await until(() => flags.isEnabled('crm', { user: 'u' }));
  const heard = [];
  flags.onPublish(({ changed }) => heard.push(changed));
  // Whether it listens already is not known, so it is changed until it is heard.
  const isTold = async () => {
    const before = heard.length;
    await until(async () => {
      await change(`UPDATE feature_flags SET enabled = NOT enabled WHERE name = 'crm'`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return heard.length > before;
    });
    assert.deepEqual(heard.at(-1), ['crm']);
  };
  await isTold();
  const count = heard.length;
  flags.refresh();
  await until(() => flags.status().ageMs < 20);
  assert.equal(heard.length, count, 'what has not changed is not read');
  ends(file);
  await loopback.tell({ postgres: 'kill' });
  flags.refresh();
  await until(() => flags.status().state === 'failing');
  assert.equal(flags.has('crm'), true);
  await loopback.tell({ postgres: 'start' });
  await until(() => flags.status().state === 'fresh');
  await isTold();
  flags.free();
});

test('Postgres: behind a pooler, and where it hides its rows or has lost its triggers', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { postgres: url } = await loopback.tell({ postgres: 'start' });
  const { pooler } = await loopback.tell({ pooler: 'start' });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(MIGRATION);
  await client.query(`SELECT esclusa.create_flags('public.feature_flags')`);
  await client.query(`INSERT INTO feature_flags (name, enabled, rollout_percentage) VALUES ('crm', true, 100)`);
  const { postgres, flags: usual } = await recipe(t, 'Postgres', 'DATABASE_URL', url);
  usual.free();
  const pooled = Flags.fromSource(postgres(pooler), QUICK);
  for (const enabled of [true, false, true]) {
    await client.query('UPDATE feature_flags SET enabled = $1', [enabled]);
    await until(() => pooled.has('crm') && pooled.isEnabled('crm') === enabled);
  }
  pooled.free();
  await client.query(`CREATE ROLE reader LOGIN; GRANT SELECT ON feature_flags TO reader; SELECT esclusa.allow('reader')`);
  const flags = Flags.fromSource(postgres(url.replace('postgres@', 'reader@')), QUICK);
  await until(() => flags.isEnabled('crm'));
  for (const [wrong, right, says] of [
    ['ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY', 'ALTER TABLE feature_flags DISABLE ROW LEVEL SECURITY', /row-level security is active/],
    ['ALTER TABLE feature_flags DISABLE TRIGGER esclusa_tell', `SELECT esclusa.watch('feature_flags')`, /has no trigger that counts its changes/],
  ]) {
    await client.query(wrong);
    await until(() => says.test(flags.status().lastError?.error ?? ''));
    assert.equal(flags.isEnabled('crm'), true);
    await client.query(right);
    await until(() => flags.status().state === 'fresh');
  }
  flags.free();
  await client.end();
});

test('Redis: told of every change, and again after the server was killed', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  const { redis: url } = await loopback.tell({ redis: 'start' });
  let revision = 0;
  const put = async () => {
    const client = createClient({ url });
    client.on('error', () => undefined);
    await client.connect();
    revision += 1;
    await client.multi().set('esclusa:flags', document(revision, { crm: revision % 2 === 1 })).publish('esclusa:flags', '').exec();
    client.destroy();
    return revision;
  };
  await put();
  const { redis, flags: usual, file } = await recipe(t, 'Redis', 'REDIS_URL', url);
  assert.equal(await usual.ready(60_000), true);
  usual.free();
  const flags = Flags.fromSource(redis(url), TOLD);
  await until(() => flags.isEnabled('crm'));
  const isTold = () =>
    until(async () => {
      const put_ = await put();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return flags.revision === put_;
    });
  await isTold();
  ends(file);
  await loopback.tell({ redis: 'kill' });
  flags.refresh();
  await until(() => flags.status().state === 'failing');
  assert.equal(flags.has('crm'), true);
  await loopback.tell({ redis: 'start' });
  await put();
  await until(() => flags.status().state === 'fresh');
  await isTold();
  flags.free();
  const missing = Flags.fromSource(redis(url, 'nothing'), QUICK);
  await until(() => missing.status().lastError?.error === 'there is no key nothing');
  missing.free();
});
