// The provider in the real @openfeature/web-sdk.
import assert from 'node:assert/strict';
import test from 'node:test';

import * as sdk from '@openfeature/web-sdk';

import init, { Flags, sync } from '@esclusa/wasm/sync';
import { EsclusaWebProvider } from '@esclusa/wasm/openfeature';

import { testLife } from '../../js/test/provider-life.js';
import { ASKED, CALLERS, PREMIUM, ROWS, closedEarly, decided, method, publishes } from '../../js/test/provider.js';

await init();
const { OpenFeature, ProviderEvents, ProviderStatus } = sdk;
const flags = new Flags();
OpenFeature.setProvider(new EsclusaWebProvider(flags));
const client = OpenFeature.getClient();

test('until something is published the provider is not ready and the default stands', async () => {
  assert.equal(client.providerStatus, ProviderStatus.NOT_READY);
  assert.deepEqual(decided(client.getBooleanDetails('on', true)), { value: true, reason: 'ERROR', errorCode: 'PROVIDER_NOT_READY' });
  let changes = 0;
  client.addHandler(ProviderEvents.ConfigurationChanged, () => (changes += 1));
  const ready = new Promise((resolve) => client.addHandler(ProviderEvents.Ready, resolve));
  flags.publishSync('[]');
  await ready;
  assert.deepEqual([client.providerStatus, changes], [ProviderStatus.READY, 0]);
});

test('a publish is an event with the keys that changed', async () => {
  const changed = new Promise((resolve) => client.addHandler(ProviderEvents.ConfigurationChanged, resolve));
  flags.publishSync(JSON.stringify(ROWS));
  assert.deepEqual((await changed).flagsChanged.sort(), ROWS.map(({ name }) => name).sort());
});

for (const [type, key, otherwise, context, expected] of ASKED) {
  test(`${type} of \`${key}\` for ${JSON.stringify(context)}`, async () => {
    await OpenFeature.setContext(context);
    assert.deepEqual(decided(client[method(type)](key, otherwise)), expected);
  });
}

test('a caller that is asked about again and again is not mistaken for another', async () => {
  for (const [at, context] of CALLERS.entries()) {
    await OpenFeature.setContext(context);
    for (let times = 0; times < 3; times++) {
      assert.equal(client.getBooleanValue('premium', false), PREMIUM[at], JSON.stringify(context));
    }
  }
});

test('another context changes the answers at once, without reconciling', async () => {
  let reconciling = 0;
  client.addHandler(ProviderEvents.Reconciling, () => (reconciling += 1));
  const contextChanged = new Promise((resolve) => client.addHandler(ProviderEvents.ContextChanged, resolve));
  await OpenFeature.setContext({ plan: 'FREE' });
  assert.equal(client.getBooleanValue('premium', true), false);
  await OpenFeature.setContext({ plan: 'PREMIUM' });
  assert.equal(client.getBooleanValue('premium', false), true);
  await contextChanged;
  assert.equal(reconciling, 0);
});

test('a provider that is closed listens no more, and again when it is initialised again', async () => {
  await publishes(new EsclusaWebProvider(flags), flags, ProviderEvents.ConfigurationChanged);
  await closedEarly(new EsclusaWebProvider(new Flags()));
});

test('what a client tracks reaches the tracker of the page, with what the flags are called', async () => {
  const tracked = [];
  const sourced = new Flags();
  sync(sourced, () => '{"esclusa": 1, "revision": 7, "flags": [{"name": "on", "enabled": true, "client": true}]}', { logger: null });
  await OpenFeature.setProviderAndWait('tracked', new EsclusaWebProvider(sourced, { tracker: { track: (...given) => tracked.push(given) } }));
  const client = OpenFeature.getClient('tracked');
  client.track('checkout', { value: 4, error: true, durationMs: 812, action: 'click' });
  assert.deepEqual(tracked, [['checkout', { value: 4, error: true, durationMs: 812, action: 'click' }]]);
  assert.deepEqual(client.getBooleanDetails('on', false).flagMetadata, { flagSetId: sourced.activeSync.status().source, revision: 7, version: '7' });
  sourced.free();
});

test('the tracker of a page does nothing where there is no page', async () => {
  const { PageTracker } = await import('@esclusa/wasm/track');
  const tracker = new PageTracker();
  tracker.track('crm', { action: 'click' });
  await tracker.send();
  assert.equal(tracker.dropped, 0);
});

testLife({ Flags, sync, sdk, Provider: EsclusaWebProvider });

test.after(() => OpenFeature.close());
