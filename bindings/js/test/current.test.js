// One set for a whole request: it answers as the flags did when it was taken, whatever is published meanwhile.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import test from 'node:test';

import { host, name } from './hosts.js';

const { Context, Flags } = host;
const skip = (name === 'wasm' || name === 'wasm-sync') && 'the small builds hold no sets';

const ON = '{"esclusa": 1, "revision": 1, "generated_at": "2026-01-01T00:00:00Z", "flags": [{"name": "a", "enabled": true, "target_plans": ["PRO"]}, {"name": "bad", "rollout_percentage": 150}]}';
const OFF = '{"esclusa": 1, "revision": 2, "flags": [{"name": "a", "enabled": false}, {"name": "b", "enabled": true}]}';
const AT = new Date('2026-02-01');

/** Every question with its answer. */
function everything(asked) {
  const callers = [new Context('u', { plan: 'PRO' }), { user: 'u', plan: 'FREE' }, null, 5];
  const answers = callers.flatMap((caller) => [
    ...['a', 'b', 'bad', 'missing'].map((key) => [
      asked.isEnabled(key, caller, true),
      asked.value(key, caller, 'mine'),
      asked.variant(key, caller, 'mine'),
      asked.resolve(key, caller, AT),
      asked.explain(key, caller, AT).text,
      asked.has(key),
    ]),
    [asked.resolveAll(caller, AT), asked.project(caller, ['a'], AT), asked.clientSnapshot(caller, null, AT)],
  ]);
  return [answers, asked.keys(), asked.size, asked.isReady, asked.revision, asked.generatedAt, asked.violations];
}

test('a set that is held answers every question as the flags did', { skip }, async () => {
  const flags = new Flags();
  flags.publishSync(ON);
  const before = everything(flags);
  const held = flags.current();
  assert.deepEqual(everything(held), before);
  await flags.publish(OFF);
  assert.deepEqual(everything(held), before);
  assert.notDeepEqual(everything(flags), before);
  assert.deepEqual(everything(flags.current()), everything(flags));
  assert.equal(inspect(held), 'FlagSet { isReady: true, size: 2, revision: 1 }');
  assert.ok(!(held instanceof Flags));
});

test('it is the same object until the next publish, and it cannot be changed', { skip }, () => {
  const flags = new Flags();
  const nothing = flags.current();
  flags.publishSync(ON);
  const first = flags.current();
  assert.equal(flags.current(), first);
  assert.notEqual(first, nothing);
  assert.equal(nothing.resolve('a').errorCode, 'PROVIDER_NOT_READY');
  assert.throws(() => first.publishSync(OFF), /a set that is held does not change/);
  assert.throws(() => first.publish(OFF), /a set that is held does not change/);
  first.free();
  flags.publishSync(OFF);
  assert.equal(flags.publishSync(ON).outcome, 'older');
  assert.equal(flags.current().revision, 2);
  flags.free();
  assert.deepEqual([first.isEnabled('a', { user: 'u', plan: 'PRO' }), first.revision], [true, 1], 'also when the flags are freed');
  assert.equal(flags.current().isReady, false);
});

test('what one set knew of keys and outcomes is never taken for the answer of another', { skip }, () => {
  const flags = new Flags();
  const caller = new Context('u');
  const sets = Array.from({ length: 300 }, (_, at) => {
    flags.publishSync(JSON.stringify([...(at % 2 ? [{ name: 'first', enabled: true }] : []), { name: 'k', enabled: at % 3 === 0, off_value: `off ${at}`, variants: [{ key: `v${at}`, value: `on ${at}` }] }]));
    const held = flags.current();
    assert.equal(held.value('k', caller), at % 3 === 0 ? `on ${at}` : `off ${at}`);
    return held;
  });
  for (const [at, held] of sets.entries()) {
    assert.equal(held.isEnabled('k', caller), at % 3 === 0);
    assert.equal(held.value('k', caller), at % 3 === 0 ? `on ${at}` : `off ${at}`);
    assert.equal(held.has('first'), at % 2 === 1);
  }
});
