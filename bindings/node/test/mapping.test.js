// Mappings in Node: from a file and the environment, for any source and each layer, and a table that changes meanwhile.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

import pg from 'pg';

import { Flags, Mapping, MappingError, bundled, cached, environment, layers, mapped } from '@esclusa/node';
import { postgres } from '@esclusa/node/postgres';
import { Loopback, QUICK, skip, until } from '../../js/test/loopback.js';

const TOML = `
esclusa_mapping = 1
name = "slug"
enabled = "is_active"
rollout_percentage = { column = "share", of = 1 }
target_plans = { column = "plans", split = "," }
counts = [{ column = "env", is = ["all", "$environment"] }]
ignore = ["ticket"]
`;
const ROWS = JSON.stringify([{ slug: 'crm', is_active: 1, share: 1, plans: 'PRO, TEAM', env: 'all', ticket: 'A-1' }]);
const PRODUCTION = { environment: 'production' };
const [PRO, FREE] = ['PRO', 'FREE'].map((plan) => ({ user: 'ana', plan }));
const isRight = (flags) => flags.isEnabled('crm', PRO) && !flags.isEnabled('crm', FREE);

function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'esclusa-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

/** Flags that are freed at the end of the test. */
function kept(t, flags) {
  t.after(() => flags.free());
  return flags;
}

test('a mapping is read from a file, or from the one that the environment names', async (t) => {
  const path = join(folder(t), 'flags.mapping.toml');
  writeFileSync(path, TOML);
  process.env.ESCLUSA_MAPPING = `${path} `;
  t.after(() => delete process.env.ESCLUSA_MAPPING);
  for (const mapping of [Mapping.load(path, PRODUCTION), Mapping.load(pathToFileURL(path), PRODUCTION), Mapping.fromEnv(PRODUCTION)]) {
    const flags = new Flags();
    assert.equal((await flags.publish(JSON.parse(ROWS), { mapping })).reading.mapping, path);
    assert.ok(isRight(flags));
    assert.equal(mapping.with({}).name, path);
  }
  writeFileSync(path, JSON.stringify({ ...new Mapping(TOML).toJSON(), counts: [], ignore: ['ticket', 'env'] }));
  for (const mapping of [path, pathToFileURL(path)]) {
    const flags = new Flags();
    flags.publishSync(ROWS, { mapping });
    assert.ok(isRight(flags));
  }
  writeFileSync(path, 'esclusa_mapping = 2');
  assert.throws(() => Mapping.load(path), (problem) => problem instanceof MappingError && problem.message.startsWith(`\`${path}\`: mapping, \`esclusa_mapping\`: `));
  assert.throws(() => Mapping.fromEnv({}, 'NOWHERE'), /the variable `NOWHERE` is not set/);
  await assert.rejects(new Flags().publish(ROWS, { mapping: `${path}.none` }), { code: 'ENOENT' });
});

test('a file is read by a mapping, and the log says by which', async (t) => {
  const own = folder(t);
  const [path, rows] = [join(own, 'flags.mapping.toml'), join(own, 'rows.json')];
  writeFileSync(path, TOML);
  writeFileSync(rows, ROWS);
  const said = [];
  const say = (line) => void said.push(line);
  const logger = { debug: say, info: say, warn: say };
  const flags = kept(t, Flags.fromFile(rows, { ...QUICK, logger, mapping: Mapping.load(path, PRODUCTION) }));
  assert.ok(isRight(flags), 'the file is published at once');
  const block = said.find((line) => line.includes('slug as name'));
  assert.match(block, /by .*flags\.mapping\.toml: 1 row, 1 flag\n/);
  assert.match(block, /ignored {3}ticket/);
  assert.ok(await flags.ready());
  // A column that is renamed opens nothing, and the error names it.
  writeFileSync(rows, ROWS.replace('"plans"', '"plan_list"'));
  await until(() => flags.status().failures > 0);
  assert.match(flags.status().lastError.error, /`plans`/);
  assert.ok(isRight(flags));
  writeFileSync(rows, ROWS.replace('PRO, TEAM', 'FREE'));
  await until(() => flags.status().state === 'fresh' && flags.isEnabled('crm', FREE));
  assert.ok(!flags.isEnabled('crm', PRO));
  assert.ok(!said.join().includes('A-1'));
});

test('a cached copy holds the rows', async (t) => {
  const path = join(folder(t), 'copy.json');
  const bundle = `{"esclusa": 1, "revision": 7, "tables": {"flags": ${ROWS}}}`;
  const mapping = new Mapping(TOML, PRODUCTION);
  const flags = kept(t, Flags.fromSource(cached(mapped(() => bundle, mapping), path), QUICK));
  const copy = () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  await until(() => copy() === bundle);
  assert.equal(flags.revision, 7);
  const again = kept(t, Flags.fromSource(cached(mapped(() => 'broken', mapping), path), QUICK));
  assert.ok(isRight(again), 'the copy is published at once');
});

test('each layer has a mapping of its own', async (t) => {
  let rows = ROWS;
  const store = mapped(() => rows, new Mapping(TOML).toJSON(), PRODUCTION);
  const other = mapped(bundled('[{"code": "billing", "on": "t"}]'), { esclusa_mapping: 1, name: 'code', enabled: 'on' });
  const own = layers(environment({ FEATURE_BILLING: 'false' }), store, other, bundled('[{"name": "native", "enabled": true}]'));
  const flags = kept(t, Flags.fromSource(own, QUICK));
  assert.ok(await flags.ready());
  assert.ok(isRight(flags) && flags.isEnabled('native') && flags.has('billing') && !flags.isEnabled('billing'));
  rows = ROWS.replace('"plans"', '"plan_list"');
  await until(() => flags.status().failures > 0);
  assert.match(flags.status().lastError.error, /`plans`/);
  assert.ok(isRight(flags));
});

test('rows may bring their mapping along', async (t) => {
  const plain = { ...new Mapping(TOML).toJSON(), esclusa_mapping: 1 };
  const document = (mapping) => ({ esclusa: 1, mapping, tables: { flags: JSON.parse(ROWS) } });
  let given = document(plain);
  const own = folder(t);
  const store = mapped(() => given, { stored: PRODUCTION });
  const direct = kept(t, Flags.fromSource(cached(store, join(own, 'copy.json')), QUICK));
  const layered = kept(t, Flags.fromSource(layers(environment({}), mapped(() => given, { stored: {} }, PRODUCTION)), QUICK));
  const all = [direct, layered];
  // The flags change on another thread, and the status a moment later.
  await until(() => all.every((flags) => flags.isReady && isRight(flags) && flags.status().mappedBy === 'stored'));
  const published = new Flags();
  const { reading } = await published.publish(document(plain), { mapping: { stored: PRODUCTION } });
  assert.equal(reading.mapping, 'stored-mapping');
  assert.equal((await published.publish('[{"name": "native", "enabled": true}]', { mapping: { stored: {} } })).reading.mapping, null);
  for (const [wrong, said] of [
    // Bare rows without the mapping would remove every flag.
    [[{ name: 'native', enabled: true }], /mapping: is missing in the rows, which had one before, expected `SELECT esclusa\.watch/],
    [document({ ...plain, esclusa_mapping: 2 }), /`esclusa_mapping`: 2 does not fit/],
    [document({ ...plain, name: 'code' }), /`code`/],
    ['[]', /no rows/],
  ]) {
    given = wrong;
    all.forEach((flags) => flags.refresh());
    await until(() => all.every((flags) => said.test(flags.status().lastError?.error ?? '')));
    assert.ok(all.every(isRight), String(said));
  }
  given = { esclusa: 1, flags: [{ name: 'native', enabled: true }] };
  await until(() => all.every((flags) => flags.status().state === 'fresh' && flags.isEnabled('native') && flags.status().mappedBy === null));
  assert.throws(() => mapped(() => given, { stored: { 'a b': 'c' } }), /`\$a b` is no name of a parameter/);
  assert.throws(() => mapped(() => given, { stored: { a: 1 } }), /the parameter `a` is a number, expected a string/);
  const over = kept(t, Flags.fromSource(mapped(() => document({ ...plain, name: 'ticket' }), plain, PRODUCTION), QUICK));
  await until(() => over.isReady && isRight(over) && over.status().mappedBy === 'app instead of stored');
});

test('a mapping that Postgres keeps beside the table is read', { skip }, async (t) => {
  const loopback = await Loopback.start();
  const { postgres: url } = await loopback.tell({ postgres: 'start' });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.after(async () => {
    await client.end();
    await loopback.end();
  });
  await client.query(readFileSync(new URL('../../../sync/migrations/001_esclusa.sql', import.meta.url), 'utf8'));
  await client.query('CREATE TABLE kept (id int PRIMARY KEY, slug text, is_active int, share numeric, plans text, env text, ticket text)');
  await client.query(`INSERT INTO kept VALUES (1, 'crm', 1, 1, 'PRO, TEAM', 'all', 'A-1')`);
  const watch = (mapping) => client.query('SELECT esclusa.watch($1, mapping => $2)', ['kept', JSON.stringify(mapping)]);
  await watch(new Mapping(TOML).toJSON());
  const source = () => postgres(url, { table: 'kept', parameters: PRODUCTION });
  const said = [];
  const logger = { debug: () => undefined, info: (line) => said.push(line), warn: (line) => said.push(line) };
  const [direct, layered] = [source(), layers(environment({}), source())].map((from) => kept(t, Flags.fromSource(from, { ...QUICK, logger })));
  const all = [direct, layered];
  await until(() => all.every((flags) => flags.isReady && isRight(flags) && flags.status().mappedBy === 'stored'));
  assert.ok(said.some((line) => line.includes('by stored-mapping: 1 row, 1 flag')), said.join('\n'));
  const without = kept(t, Flags.fromSource(postgres(url, { table: 'kept' }), { ...QUICK, logger }));
  await until(() => without.status().lastError?.error.includes('$environment'));
  await client.query(`UPDATE kept SET plans = 'FREE'`);
  await until(() => all.every((flags) => flags.isEnabled('crm', FREE) && !flags.isEnabled('crm', PRO)));
  // A change of the mapping is heard as a change of a row is.
  await watch({ ...new Mapping(TOML).toJSON(), target_plans: { column: 'plans', split: ',', keys: false }, off_when: [{ column: 'ticket', is: ['A-1'] }], ignore: [] });
  await until(() => all.every((flags) => !flags.isEnabled('crm', FREE)));
  await client.query('SELECT esclusa.undo_mapping()');
  await until(() => all.every((flags) => flags.isEnabled('crm', FREE)));
  await client.query('ALTER TABLE kept DROP COLUMN plans');
  await until(() => all.every((flags) => /has no column `plans`/.test(flags.status().lastError?.error ?? '')));
  assert.ok(all.every((flags) => flags.isEnabled('crm', FREE) && !flags.isEnabled('crm', PRO)));
  await client.query(`ALTER TABLE kept ADD COLUMN plans text DEFAULT 'FREE'`);
  await until(() => all.every((flags) => flags.status().state === 'fresh'));
  await client.query(`SELECT esclusa.unwatch('kept')`);
  await until(() => all.every((flags) => /mapping: is missing in the rows/.test(flags.status().lastError?.error ?? '')));
  assert.ok(all.every((flags) => flags.isEnabled('crm', FREE) && !flags.isEnabled('crm', PRO)));
  assert.throws(() => postgres(url, { parameters: { environment: 1 } }), /the parameter `environment` is a number/);
});

test('a table of Postgres changes while the app runs', { skip }, async (t) => {
  const loopback = await Loopback.start();
  const { postgres: url } = await loopback.tell({ postgres: 'start' });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE TABLE features (slug text, is_active int, share numeric, plans text, env text, ticket text)');
  await client.query(`INSERT INTO features VALUES ('crm', 1, 0.29, 'PRO, TEAM', 'all', 'A-1')`);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => undefined);
  const flags = new Flags();
  const sync = flags.sync(postgres(pool, { table: 'features' }), { ...QUICK, mapping: new Mapping(TOML, PRODUCTION) });
  t.after(async () => {
    sync.close();
    await pool.end();
    await client.end();
    await loopback.end();
  });
  assert.ok(await flags.ready(60_000));
  const users = Array.from({ length: 1_000 }, (_, number) => ({ user: `user-${number}`, plan: 'PRO' }));
  const share = users.filter((user) => flags.isEnabled('crm', user)).length;
  assert.ok(share > 230 && share < 350, `${share} of 1,000 at 29 %`);
  await client.query('UPDATE features SET share = 1');
  await until(() => users.every((user) => flags.isEnabled('crm', user)));
  await client.query('ALTER TABLE features RENAME plans TO plan_list');
  await until(() => flags.status().failures > 0);
  assert.match(flags.status().lastError.error, /`plans`/);
  assert.ok(isRight(flags));
  await client.query('ALTER TABLE features RENAME plan_list TO plans');
  await until(() => flags.status().state === 'fresh');
  await client.query(`UPDATE features SET env = 'staging'`);
  await until(() => !flags.isEnabled('crm', PRO));
});
