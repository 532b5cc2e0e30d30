// What is asked is answered from the set that is current, however many came and went without being asked.
import assert from 'node:assert/strict';
import test from 'node:test';

import { host } from './hosts.js';

const { Context, Flags } = host;

const rows = (at) =>
  JSON.stringify([
    { name: 'k', enabled: at % 3 === 0, off_value: at, variants: [{ key: `v${at}`, value: `on ${at}` }] },
    ...Array.from({ length: at % 4 }, (_, other) => ({ name: `other-${other}`, enabled: true })),
  ]);

for (const [how, publish] of [['publishSync', (flags, text) => flags.publishSync(text)], ['publish', (flags, text) => flags.publish(text)]]) {
  test(`a value is never that of an earlier set, with ${how}`, async () => {
    const flags = new Flags();
    const context = new Context('u');
    let at = 0;
    for (let round = 0; round < 3000; round++) {
      for (let unasked = 0; unasked <= round % 5; unasked++) {
        await publish(flags, rows(at++));
        if (round % 2 === 0) {
          flags.isEnabled('k', context);
        }
      }
      const { k } = flags.project(context);
      assert.deepEqual(flags.value('k', context), k.value, `round ${round}`);
      assert.equal(flags.variant('k', context), k.variant ?? null);
      assert.equal(flags.resolve('k', context).enabled, k.enabled);
    }
  });
}
