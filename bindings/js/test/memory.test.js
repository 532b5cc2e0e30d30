// Memory stays flat: over evaluations, over contexts that are collected or freed, over publishes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn } from 'node:timers/promises';

import { host, memories } from './hosts.js';

const { Context, Flags } = host;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const ROWS = JSON.stringify([
  { name: 'w1', enabled: true, rollout_percentage: 10, target_plans: ['PREMIUM'], target_roles: ['ADMIN'], target_regions: ['CO'] },
  { name: 'layout', enabled: true, variants: [{ key: 'a', value: { columns: 2 } }, { key: 'b', value: 'x' }] },
]);
const fields = (at) => ({ company: `company-${at}`, plan: 'PREMIUM', role: 'ADMIN', region: 'CO', seats: at });

test('a million evaluations of contexts, plain objects and values take no memory', async (t) => {
  const flags = new Flags();
  flags.publishSync(ROWS);
  const contexts = Array.from({ length: 1000 }, (_, at) => new Context(`user-${at}`, fields(at)));
  const plain = Array.from({ length: 1000 }, (_, at) => ({ user: `user-${at}`, ...fields(at) }));
  const round = () => {
    let on = 0;
    for (let at = 0; at < 1000; at++) {
      on += flags.isEnabled('w1', contexts[at]) ? 1 : 0;
      on += flags.isEnabled('w1', plain[at]) ? 1 : 0;
      on += flags.value('layout', contexts[at]) === 'x' ? 1 : 0;
      flags.resolve('other', contexts[at]);
    }
    return on;
  };
  const first = round();
  for (let rounds = 0; rounds < 20; rounds++) {
    round();
  }
  collect();
  const before = await bytes();
  let evaluations = 0;
  for (let rounds = 0; rounds < 250; rounds++) {
    assert.equal(round(), first);
    evaluations += 4000;
  }
  collect();
  const grown = (await bytes()) - before;
  t.diagnostic(`${evaluations} evaluations: ${grown} bytes more`);
  assert.ok(grown <= slack(0, 32_000_000), `${grown} bytes more`);
});

test('unreachable and freed contexts give their memory back', async (t) => {
  const flags = new Flags();
  flags.publishSync(ROWS);
  const round = async (free) => {
    for (let at = 0; at < 20_000; at++) {
      const context = new Context(`user-${at}`, fields(at));
      flags.isEnabled('w1', context);
      if (free) {
        context.free();
      }
    }
    collect();
    // The registry's callbacks run in turns of their own.
    await turn();
    await turn();
  };
  for (const free of [true, false]) {
    await round(free);
    await round(free);
    const before = await bytes();
    for (let rounds = 0; rounds < 5; rounds++) {
      await round(free);
    }
    const grown = (await bytes()) - before;
    t.diagnostic(`100000 contexts ${free ? 'freed' : 'collected'}: ${grown} bytes more`);
    assert.ok(grown <= slack(24_000_000, 48_000_000), `${grown} bytes more`);
  }
});

test('publishing three thousand times takes no memory, and freed flags give theirs back', async (t) => {
  const flags = new Flags();
  const many = JSON.stringify(Array.from({ length: 300 }, (_, at) => ({ name: `flag-${at}`, enabled: true, target_plans: ['PREMIUM', `plan-${at}`] })));
  const round = () => {
    flags.publishSync(many);
    flags.value('flag-7', { plan: 'PREMIUM' });
    const other = new Flags();
    other.publishSync(ROWS);
    other.free();
  };
  for (let rounds = 0; rounds < 100; rounds++) {
    round();
  }
  collect();
  const before = await bytes();
  for (let rounds = 0; rounds < 3000; rounds++) {
    round();
  }
  collect();
  const grown = (await bytes()) - before;
  t.diagnostic(`3000 publishes: ${grown} bytes more`);
  assert.ok(grown <= slack(0, 96_000_000), `${grown} bytes more`);
});

/**
 * WebAssembly's memory can be read to the byte; a process takes and gives back what it likes, so it may grow by a part
 * of what would be lost if nothing were given back.
 */
function slack(wasm, native) {
  return memories.length > 0 ? wasm : native;
}

/** The bytes of WebAssembly's memory, if that is where the engine is; otherwise those of the process. */
async function bytes() {
  await turn();
  return memories.length > 0 ? memories[0].buffer.byteLength : process.memoryUsage.rss();
}
