// The provider in the real @openfeature/server-sdk.
import assert from 'node:assert/strict';
import test from 'node:test';

import { OpenFeature, ProviderEvents, ProviderStatus } from '@openfeature/server-sdk';

import { Flags } from '@esclusa/node';
import { EsclusaProvider } from '@esclusa/node/openfeature';

import { ASKED, CALLERS, PREMIUM, ROWS, decided, method } from '../../js/test/provider.js';

const flags = new Flags();
await OpenFeature.setProviderAndWait('test', new EsclusaProvider(flags));
const client = OpenFeature.getClient('test');

test('before anything is published the default stands', async () => {
  assert.equal(client.providerStatus, ProviderStatus.READY);
  const details = await client.getBooleanDetails('on', true, {});
  assert.deepEqual(decided(details), { value: true, reason: 'ERROR', errorCode: 'PROVIDER_NOT_READY' });
  assert.equal(details.errorMessage, 'nothing is published yet');
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

test('a closed provider listens no more', async () => {
  const provider = new EsclusaProvider(flags);
  let heard = 0;
  provider.events.addHandler(ProviderEvents.ConfigurationChanged, () => (heard += 1));
  flags.publishSync('[]');
  await provider.onClose();
  flags.publishSync(JSON.stringify(ROWS));
  assert.equal(heard, 1);
});

test.after(() => OpenFeature.close());
