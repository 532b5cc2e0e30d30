// What users meet at the edges: what the console shows, what messages say, times out of range, and flags that are freed
// while something is published; the same in every host.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';

import { build, host } from './hosts.js';

const { Context, Flags } = host;
const ROWS = '[{"name": "on", "enabled": true}]';
const BIG = 2n ** 60n + 1n;

test('the console shows contexts and flags', () => {
  const flags = new Flags();
  assert.equal(inspect(flags), 'Flags { isReady: false, size: 0, revision: null }');
  flags.publishSync(`{"esclusa": 1, "revision": 7, "flags": ${ROWS}}`);
  assert.equal(inspect(flags), 'Flags { isReady: true, size: 1, revision: 7 }');
  assert.equal(inspect(new Context('ana', { plan: 'PRO', seats: BIG })), `Context { plan: 'PRO', seats: ${BIG}n, targetingKey: 'ana' }`);
  assert.equal(inspect({ caller: new Context('ana') }), "{ caller: Context { targetingKey: 'ana' } }");
  flags.free();
  assert.equal(inspect(flags), 'Flags { isReady: false, size: 0, revision: null }');
});

test('the console shows a sync', { skip: build.sync ? false : 'this build keeps nothing fresh' }, async () => {
  const flags = new Flags();
  const syncing = host.sync(flags, () => ROWS, { logger: null });
  await syncing.ready(10_000);
  syncing.close();
  assert.match(inspect(syncing), /^Sync \{\s+state: 'fresh',\s+source: 'function',\s+revision: null,\s+ageMs: \d+,\s+failures: 0,\s+lastError: null,\s+polled: null,\s+mappedBy: null,\s+isClosed: true\s+\}$/);
});

test('a copy of a context has whole numbers of any size', () => {
  const fields = { id: BIG, list: [1n, -(2n ** 62n)], small: 5n, text: `"#${BIG}" ${BIG}`, mark: '#1', half: 0.5, large: 2 ** 60 };
  const context = new Context('ana', fields);
  const copy = context.toJSON();
  assert.deepEqual(copy, { id: BIG, list: [1, -(2n ** 62n)], small: 5, text: fields.text, mark: '#1', half: 0.5, large: 2 ** 60, targetingKey: 'ana' });
  assert.deepEqual(Context.from(copy).toJSON(), copy);
  assert.equal(JSON.parse(JSON.stringify({ context })).context.id, String(BIG), 'JSON.stringify writes no bigints, and rounds none');
  const flags = new Flags();
  flags.publishSync(JSON.stringify([{ name: 'by-id', enabled: true, overrides: { on: { users: [String(BIG)] } }, target_plans: ['NONE'] }]));
  const user = new Context(null, { user: BIG });
  for (const caller of [user, user.toJSON(), JSON.parse(JSON.stringify(user))]) {
    assert.equal(flags.isEnabled('by-id', caller), true);
  }
});

test('what is no snapshot is called by its name', async () => {
  const wrong = [
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'a number'],
    [{ rows: [] }, 'an Object'],
    [new Map(), 'a Map'],
    [() => ROWS, 'a function'],
  ];
  const flags = new Flags();
  for (const [snapshot, said] of wrong) {
    const problem = { name: 'TypeError', message: `the snapshot is ${said}, expected its JSON as text or bytes, rows, or a document with \`flags\`` };
    assert.throws(() => flags.publishSync(snapshot), problem);
    await assert.rejects(flags.publish(snapshot), problem);
  }
});

test('rows and documents are published as a driver of a database gives them', async () => {
  const flags = new Flags();
  class Row {
    constructor(fields) {
      Object.assign(this, fields);
    }
  }
  const rows = [
    new Row({ id: 2n ** 60n, name: 'plans', enabled: true, target_plans: new Set(['PRO']), rollout_percentage: null }),
    { name: 'later', enabled: true, start_date: new Date('2999-01-01'), end_date: undefined },
    { name: 'half', enabled: true, rollout_percentage: '0', target_regions: [] },
    { name: 'companies', enabled: true, target_companies: [7n, 9007199254740993n] },
  ];
  for (const given of [rows, { esclusa: 1, revision: 3, flags: rows }, runInNewContext('(rows) => [...rows]')(rows)]) {
    for (const publish of [() => flags.publishSync(given, { acceptOlder: true }), () => flags.publish(given, { acceptOlder: true })]) {
      flags.free();
      const report = await publish();
      assert.deepEqual(report.violations.filter(({ place }) => !place.endsWith('/id')), []);
      const on = (key, caller) => flags.isEnabled(key, { user: 'ana', ...caller });
      assert.deepEqual([on('plans', { plan: 'PRO' }), on('plans', { plan: 'FREE' }), on('later'), on('half')], [true, false, false, false]);
      assert.deepEqual([on('companies', { company: '9007199254740993' }), on('companies', { company: '7' }), on('companies', { company: '9007199254740992' })], [true, true, false]);
    }
  }
});

test('a value that JSON does not have widens nothing and holds up no other flag', () => {
  const cyclic = [];
  cyclic.push(cyclic);
  const wrong = [() => 1, Number.NaN, Buffer.from('x'), new Date(Number.NaN), Symbol('x'), cyclic, [() => 1], new Set([Number.NaN]), { get plan() { throw new Error('no'); } }];
  for (const value of wrong) {
    const flags = new Flags();
    const restricted = ['target_plans', 'rollout_percentage', 'start_date', 'rules'].map((column) => ({ name: column, enabled: true, [column]: value }));
    flags.publishSync([...restricted, { name: 'harmless', enabled: true, avatar: value }, { name: 'on', enabled: true }, 7, null]);
    const on = ['target_plans', 'rollout_percentage', 'start_date', 'rules', 'harmless', 'on'].filter((key) => flags.isEnabled(key, { user: 'ana', plan: 'x' }));
    assert.deepEqual(on, ['harmless', 'on'], String(Object.prototype.toString.call(value)));
  }
});

test('rows are an answer of a source', { skip: build.sync ? false : 'this build keeps nothing fresh' }, async () => {
  const rows = JSON.parse(ROWS);
  for (const answer of [rows, { esclusa: 1, flags: rows }, { bytes: rows, etag: 'e' }]) {
    const flags = new Flags();
    const syncing = host.sync(flags, async () => answer, { logger: null });
    assert.deepEqual([await syncing.ready(10_000), flags.isEnabled('on')], [true, true]);
    flags.free();
  }
  const flags = new Flags();
  const syncing = host.sync(flags, () => [], { logger: null });
  assert.equal(await syncing.ready(50), false);
  assert.match(syncing.status().lastError.error, /the answer has no rows/);
  syncing.close();
});

test('a time that no engine can count is refused, as in Python', () => {
  const flags = new Flags();
  flags.publishSync(ROWS);
  for (const ask of [(now) => flags.resolve('on', null, now), (now) => flags.resolveAll(null, now), (now) => flags.explain('on', null, now), (now) => flags.project(null, null, now)]) {
    for (const now of [1e300, -1e300, 9e18, Number.NaN, Number.POSITIVE_INFINITY, new Date(Number.NaN)]) {
      assert.throws(() => ask(now), { name: 'RangeError', message: /^`now` is / }, String(now));
    }
    for (const now of ['2026-01-01', 7n, true, {}, []]) {
      assert.throws(() => ask(now), { name: 'TypeError', message: /^`now` is an? (string|bigint|boolean|Object|Array), expected a Date or a number/ });
    }
    for (const now of [8.64e15, -8.64e15, 8.9e18, 0.5, new Date(8.64e15)]) {
      ask(now);
    }
  }
});

test('flags that are freed while something is published publish nothing', async () => {
  const freed = { name: 'Error', message: 'nothing was published: the flags were freed meanwhile' };
  const flags = new Flags();
  let heard = 0;
  flags.onPublish(() => (heard += 1));
  const publishing = [flags.publish(ROWS), flags.publish(Buffer.from(ROWS))].map((one) => assert.rejects(one, freed));
  flags.free();
  await Promise.all(publishing);
  assert.deepEqual([flags.isReady, heard], [false, 0]);
  const report = await flags.publish(ROWS);
  assert.deepEqual([report.added, flags.isEnabled('on'), heard], [['on'], true, 1], 'and may be used again');
});
