// What users meet at the edges: what the console shows, what messages say, times out of range, and flags that are freed
// while something is published; the same in every host.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';

import { host } from './hosts.js';

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
  const hint = 'expected its JSON as text or bytes, such as JSON.stringify(rows)';
  const wrong = [
    [undefined, 'undefined, expected its JSON as text or bytes'],
    [null, 'null, expected its JSON as text or bytes'],
    [7, 'a number, expected its JSON as text or bytes'],
    [[{ name: 'on', enabled: true }], `an Array, ${hint}`],
    [{ esclusa: 1, flags: [] }, `an Object, ${hint}`],
    [new Map(), `a Map, ${hint}`],
    [runInNewContext('[]'), `an Array, ${hint}`],
  ];
  const flags = new Flags();
  for (const [snapshot, said] of wrong) {
    const problem = { name: 'TypeError', message: `the snapshot is ${said}` };
    assert.throws(() => flags.publishSync(snapshot), problem);
    await assert.rejects(flags.publish(snapshot), problem);
  }
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

test('bytes that change after the call change nothing', async () => {
  const flags = new Flags();
  const bytes = Buffer.from(ROWS);
  const publishing = flags.publish(bytes);
  bytes.fill(0);
  await publishing;
  assert.equal(flags.isEnabled('on'), true);
});
