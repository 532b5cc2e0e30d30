// Run by hand, for it takes a minute: ESCLUSA_HOST=wasm-full node --test bindings/js/test/overflow.js
// A stack that ends in the middle of a call: afterwards everything is as before.
import assert from 'node:assert/strict';
import test from 'node:test';

import { ON, flagsOf, publish } from './given.js';
import { build, host, memories } from './hosts.js';

const { Context, Flags } = host;

const LAYOUT = { name: 'layout', enabled: true, variants: [{ key: 'a', value: { columns: [1, 2] } }] };
const PREMIUM = { name: 'premium', enabled: true, target_plans: ['PREMIUM'] };
const SINCE = { name: 'since', enabled: true, start_date: '2020-01-01' };

const LONG = { plan: 'PREMIUM', ...Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`attribute-${at}`, { list: [at, { at }] }])) };

/** Asks from as deep as the stack goes; the arguments shift the frames, so that it ends at ever other places. */
function deep(ask, ...given) {
  ask();
  deep(ask, ...given);
}

function overflow(ask, shift) {
  // A new Context says in its own words that its fields cannot be read.
  assert.throws(() => deep(ask, ...Array.from({ length: shift })), (problem) => problem instanceof RangeError || problem instanceof TypeError);
}

const ASKED = {
  isEnabled: (flags, context) => flags.isEnabled('premium', context),
  'isEnabled of a window': (flags, context) => flags.isEnabled('since', context),
  'isEnabled of a plain object': (flags) => flags.isEnabled('premium', { plan: 'PREMIUM' }),
  'isEnabled of a long object': (flags) => flags.isEnabled('premium', LONG),
  'isEnabled of a new context': (flags) => flags.isEnabled('premium', new Context('u', { plan: 'PREMIUM' })),
  value: (flags, context) => flags.value('layout', context),
  'value of an unknown key': (flags, context) => flags.value('unknown', context),
  resolve: (flags, context) => flags.resolve('premium', context),
  resolveAll: (flags, context) => flags.resolveAll(context),
  explain: (flags, context) => flags.explain('premium', context),
  project: (flags, context) => flags.project(context),
  ...(build.clientSnapshots ? { clientSnapshot: (flags, context) => flags.clientSnapshot(context) } : {}),
  getters: (flags) => [flags.size, flags.keys(), flags.isReady],
};

for (const [what, ask] of Object.entries(ASKED)) {
  test(`after a stack that ended in ${what} everything is as before`, () => {
    for (let shift = 0; shift < 24; shift++) {
      const flags = flagsOf(PREMIUM, LAYOUT, SINCE);
      const context = new Context('u', { plan: 'PREMIUM' });
      overflow(() => ask(flags, context), shift);
      assert.equal(flags.isEnabled('premium', context), true);
      assert.equal(flags.isEnabled('premium', { plan: 'FREE' }), false);
      assert.equal(flags.isEnabled('since', context), true);
      assert.deepEqual(flags.value('layout', context), { columns: [1, 2] });
      assert.deepEqual(flags.resolve('premium', context), { ...ON, reason: 'TARGETING_MATCH' });
      assert.deepEqual(flags.resolve('premium'), { ...ON, enabled: false, value: false, reason: 'DEFAULT' });
      publish(flags, { ...PREMIUM, off_value: 'off' });
      assert.equal(flags.value('premium', { plan: 'FREE' }), 'off');
      flags.free();
    }
  });
}

test('a stack that ends again and again takes nothing for good', () => {
  const flags = flagsOf(PREMIUM, LAYOUT, SINCE);
  const context = new Context('u', { plan: 'PREMIUM' });
  const round = (shift) => {
    for (const ask of [ASKED.explain, ASKED['isEnabled of a plain object'], ASKED.isEnabled]) {
      overflow(() => ask(flags, context), shift % 40);
    }
  };
  for (let rounds = 0; rounds < 40; rounds++) {
    round(rounds);
  }
  const before = memories[0]?.buffer.byteLength;
  for (let rounds = 0; rounds < 400; rounds++) {
    round(rounds);
  }
  assert.deepEqual(flags.value('layout', context), { columns: [1, 2] });
  assert.equal(new Flags().isReady, false);
  assert.ok(memories.length === 0 || memories[0].buffer.byteLength <= before + 2 * 65_536);
});
