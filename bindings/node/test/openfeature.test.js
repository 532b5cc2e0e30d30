// The provider in the real @openfeature/server-sdk.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';

import * as sdk from '@openfeature/server-sdk';

import { Flags, engine } from '@esclusa/node';
import { EsclusaProvider } from '@esclusa/node/openfeature';

import { testLife } from '../../js/test/provider-life.js';
import { ASKED, CALLERS, PREMIUM, ROWS, closedEarly, decided, method, publishes } from '../../js/test/provider.js';

const { OpenFeature, ProviderEvents, ProviderStatus } = sdk;
const flags = new Flags();
OpenFeature.setProvider('test', new EsclusaProvider(flags));
const client = OpenFeature.getClient('test');

test('until something is published the provider is not ready and the default stands', async () => {
  assert.equal(client.providerStatus, ProviderStatus.NOT_READY);
  const details = await client.getBooleanDetails('on', true, {});
  assert.deepEqual(decided(details), { value: true, reason: 'ERROR', errorCode: 'PROVIDER_NOT_READY' });
  let changes = 0;
  client.addHandler(ProviderEvents.ConfigurationChanged, () => (changes += 1));
  const ready = new Promise((resolve) => client.addHandler(ProviderEvents.Ready, resolve));
  flags.publishSync('[]');
  await ready;
  assert.deepEqual([client.providerStatus, changes], [ProviderStatus.READY, 0]);
});

test('waiting for a provider is waiting for the first publish, and for nothing if there was one', async () => {
  const later = new Flags();
  let isSet = false;
  const setting = OpenFeature.setProviderAndWait('later', new EsclusaProvider(later)).then(() => (isSet = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSet, false);
  await later.publish(JSON.stringify(ROWS));
  await setting;
  assert.equal(await OpenFeature.getClient('later').getBooleanValue('on', false), true);
  await OpenFeature.setProviderAndWait('at once', new EsclusaProvider(later));
  assert.equal(OpenFeature.getClient('at once').providerStatus, ProviderStatus.READY);
});

test('another thread\'s first publish ends the wait too', { skip: engine !== 'native' }, async () => {
  const shared = new Flags();
  const setting = OpenFeature.setProviderAndWait('shared', new EsclusaProvider(shared));
  const program = `const { workerData } = require('node:worker_threads');
    require('@esclusa/node').Flags.fromShared(workerData).publishSync('[{"name": "on", "enabled": true}]');`;
  const worker = new Worker(program, { eval: true, workerData: shared.share() });
  await once(worker, 'exit');
  // What looks for it lets the process end, so something else has to keep it.
  const alive = setInterval(() => undefined, 1000);
  await setting.finally(() => clearInterval(alive));
  assert.equal(await OpenFeature.getClient('shared').getBooleanValue('on', false), true);
});

test('a publish is an event with the keys that changed', async () => {
  const changed = new Promise((resolve) => client.addHandler(ProviderEvents.ConfigurationChanged, resolve));
  flags.publishSync(JSON.stringify(ROWS));
  assert.deepEqual((await changed).flagsChanged.sort(), ROWS.map(({ name }) => name).sort());
});

for (const [type, key, otherwise, context, expected] of ASKED) {
  test(`${type} of \`${key}\` for ${JSON.stringify(context)}`, async () => {
    assert.deepEqual(decided(await client[method(type)](key, otherwise, context)), expected);
  });
}

test('a caller that is asked about again and again is not mistaken for another', async () => {
  for (let round = 0; round < 2; round++) {
    for (const [at, context] of CALLERS.entries()) {
      for (let times = 0; times < 3; times++) {
        assert.equal(await client.getBooleanValue('premium', false, { ...context }), PREMIUM[at], JSON.stringify(context));
      }
    }
  }
  const roles = ['x'];
  const provider = new EsclusaProvider(flags);
  flags.publishSync(JSON.stringify([...ROWS, { name: 'admins', enabled: true, target_roles: ['ADMIN'] }]));
  const ask = async () => (await provider.resolveBooleanEvaluation('admins', false, { targetingKey: 'u', roles })).value;
  const before = [await ask(), await ask(), await ask()];
  roles[0] = 'ADMIN';
  assert.deepEqual([...before, await ask()], [false, false, false, true], 'a list that changes is seen');
});

test('a context that cannot be read leaves the default', async () => {
  const context = { get plan() { throw new Error('no'); } };
  const provider = new EsclusaProvider(flags);
  const details = await provider.resolveBooleanEvaluation('on', true, context);
  assert.deepEqual([details.value, details.errorCode], [true, 'INVALID_CONTEXT']);
});

test('a provider that is closed listens no more, and again when it is initialised again', async () => {
  await publishes(new EsclusaProvider(flags), flags, ProviderEvents.ConfigurationChanged);
  await closedEarly(new EsclusaProvider(new Flags()));
});

testLife({ Flags, sync: (flags, source, options) => flags.sync(source, options), sdk, Provider: EsclusaProvider });

test.after(() => OpenFeature.close());

test('what a client tracks reaches the guards, and without guards nothing happens', async (t) => {
  t.mock.method(console, 'warn', () => undefined);
  const guarded = new Flags({ guard: engine === 'native' });
  t.after(() => guarded.free());
  const seen = [];
  guarded.onTrack(({ event, error, durationMs, value, fields }) => seen.push({ event, error, durationMs, value, fields }));
  guarded.publishSync([{ name: 'crm', enabled: true, rollout_percentage: 50, guard: { event: 'checkout', errors: {} } }]);
  await OpenFeature.setProviderAndWait('guarded', new EsclusaProvider(guarded));
  const client = OpenFeature.getClient('guarded');
  client.track('checkout', { targetingKey: 'u' }, { value: 99.77, error: false, durationMs: 812, action: 'click', currency: 'EUR' });
  assert.deepEqual(seen, [{ event: 'checkout', error: false, durationMs: 812, value: 99.77, fields: { action: 'click', currency: 'EUR' } }]);
  client.track('checkout', { targetingKey: 'u' }, { durationMs: -1 });
  assert.deepEqual([seen.length, guarded.guards().dropped], [1, 1]);
  if (engine !== 'native') {
    return;
  }
  const changed = new Promise((resolve) => client.addHandler(ProviderEvents.ConfigurationChanged, resolve));
  for (let user = 0; user < 400; user += 1) {
    const context = { targetingKey: `user-${user}` };
    client.track('checkout', context, { error: await client.getBooleanValue('crm', false, context) });
  }
  const alive = setInterval(() => undefined, 1000);
  assert.deepEqual((await changed.finally(() => clearInterval(alive))).flagsChanged, ['crm'], 'a trip is a change');
  assert.deepEqual(decided(await client.getBooleanDetails('crm', false, { targetingKey: 'user-1' })).reason, 'DISABLED');
});

test('an answer has the id of its set of flags', async (t) => {
  const sourced = Flags.fromSource(() => '{"esclusa": 1, "revision": 7, "flags": [{"name": "on", "enabled": true}]}', { logger: null });
  t.after(() => sourced.free());
  await OpenFeature.setProviderAndWait('sourced', new EsclusaProvider(sourced));
  const metadata = async (domain) => (await OpenFeature.getClient(domain).getBooleanDetails('on', false)).flagMetadata;
  assert.deepEqual(await metadata('sourced'), { flagSetId: sourced.status().source, revision: 7, version: '7' });
  await OpenFeature.setProviderAndWait('named', new EsclusaProvider(sourced, { flagSetId: 'apps' }));
  assert.deepEqual(await metadata('named'), { flagSetId: 'apps', revision: 7, version: '7' });
});
