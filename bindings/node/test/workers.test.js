// Worker threads: one compiled set for all of them, and threads that come and go.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';

import { Context, Flags, engine } from '@esclusa/node';

const rows = (revision, enabled) => JSON.stringify({ esclusa: 1, revision, flags: [{ name: 'on', enabled }, { name: 'half', enabled: true, rollout_percentage: 50 }] });
const start = (program, workerData) =>
  new Worker(`const { parentPort, workerData } = require('node:worker_threads');\nconst { Context, Flags, engine } = require('@esclusa/node');\n${program}`, { eval: true, workerData });
const message = async (worker) => (await once(worker, 'message'))[0];

test('a worker sees what another thread publishes, and the other way round', { skip: engine !== 'native' }, async () => {
  const flags = new Flags();
  flags.publishSync(rows(1, true));
  const worker = start(
    `const flags = Flags.fromShared(workerData);
     const context = new Context('u');
     const say = () => parentPort.postMessage([flags.revision, flags.isEnabled('on', context), flags.value('on', context), flags.keys()]);
     say();
     parentPort.on('message', async (what) => {
       if (what === 'publish') await flags.publish(${JSON.stringify(rows(3, true))});
       if (what === 'end') return parentPort.close();
       say();
     });`,
    flags.share(),
  );
  assert.deepEqual(await message(worker), [1, true, true, ['on', 'half']]);
  flags.publishSync(rows(2, false));
  worker.postMessage('look');
  assert.deepEqual(await message(worker), [2, false, false, ['on', 'half']]);
  worker.postMessage('publish');
  assert.deepEqual(await message(worker), [3, true, true, ['on', 'half']]);
  assert.deepEqual([flags.revision, flags.isEnabled('on', new Context('u')), flags.value('on')], [3, true, true]);
  worker.postMessage('end');
  await once(worker, 'exit');
  assert.equal(flags.isEnabled('on'), true);
});

test('a set that is held stays as it is when another thread publishes', { skip: engine !== 'native' }, async () => {
  const flags = new Flags();
  flags.publishSync(rows(1, true));
  const worker = start(`Flags.fromShared(workerData).publishSync(${JSON.stringify(rows(2, false))}); parentPort.postMessage('published');`, flags.share());
  const held = flags.current();
  assert.equal(await message(worker), 'published');
  assert.deepEqual([held.isEnabled('on'), held.revision], [true, 1]);
  assert.deepEqual([flags.current().isEnabled('on'), flags.current().revision], [false, 2]);
  await once(worker, 'exit');
});

test('the same flags are shared under one number, other flags under another', { skip: engine !== 'native' }, () => {
  const [one, other] = [new Flags(), new Flags()];
  assert.deepEqual(one.share(), one.share());
  assert.notDeepEqual(one.share(), other.share());
  assert.deepEqual(structuredClone(one.share()), one.share());
  one.publishSync('[{"name": "on", "enabled": true}]');
  const again = Flags.fromShared(one.share());
  one.free();
  assert.equal(again.isEnabled('on'), true, 'a thread that holds them keeps them');
  const shared = again.share();
  again.free();
  assert.throws(() => Flags.fromShared(shared), /the shared flags are gone/);
  assert.throws(() => Flags.fromShared({ esclusa: 'shared flags', number: 1e9 }), /the shared flags are gone/);
  assert.throws(() => Flags.fromShared({}), TypeError);
});

test('in WebAssembly sharing says that it cannot', { skip: engine !== 'wasm' }, () => {
  assert.throws(() => new Flags().share(), /native engine alone/);
  assert.throws(() => Flags.fromShared({ esclusa: 'shared flags', number: 1 }), /native engine alone/);
});

test('200 workers start and end while some of them publish', async (t) => {
  const flags = new Flags();
  flags.publishSync(rows(1, true));
  const shared = engine === 'native' ? flags.share() : null;
  const large = JSON.stringify(Array.from({ length: 2000 }, (_, at) => ({ name: `flag-${at}`, enabled: true, rollout_percentage: 10 })));
  const program = `
    const flags = workerData.shared === null ? new Flags() : Flags.fromShared(workerData.shared);
    const own = new Flags();
    own.publishSync(workerData.large);
    const contexts = Array.from({ length: 50 }, (_, at) => new Context('user-' + at, { company: 'acme' }));
    let on = 0;
    for (const context of contexts) on += own.isEnabled('flag-1', context) + flags.isEnabled('half', context);
    if (workerData.at % 3 === 0) flags.publishSync(workerData.rows);
    // Some end with a publish under way, some by themselves, some are ended from outside, some by an exit.
    if (workerData.at % 4 === 0) own.publish(workerData.large);
    parentPort.postMessage(on);
    if (workerData.at % 5 === 0) process.exit(0);
    if (workerData.at % 7 === 0) setInterval(() => flags.isEnabled('half', contexts[0]), 1);`;
  const [COUNT, side] = [200, Math.max(2, availableParallelism())];
  let [begun, ended] = [0, 0];
  const one = async () => {
    while (begun < COUNT) {
      const at = begun++;
      const worker = start(program, { at, shared, large, rows: rows(at + 2, true) });
      const problem = once(worker, 'error').then(([error]) => error);
      const exit = once(worker, 'exit');
      const on = await Promise.race([message(worker), problem]);
      assert.ok(typeof on === 'number' && on > 0, String(on));
      if (at % 7 === 0 && at % 5 !== 0) {
        await worker.terminate();
      }
      await exit;
      ended += 1;
    }
  };
  await Promise.all(Array.from({ length: side }, one));
  assert.equal(ended, COUNT);
  assert.equal(flags.isEnabled('on', new Context('u')), true);
  t.diagnostic(`${ended} workers came and went, ${side} at a time, the last revision is ${flags.revision}`);
});
