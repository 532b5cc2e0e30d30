// What an OpenFeature provider tells its SDK about the source, and what it passes on: both SDKs are asked the same.
import assert from 'node:assert/strict';
import test from 'node:test';

import { QUICK, document, until } from './loopback.js';

/** @param {object} given the package, `sync` as a function, the SDK, and the provider's class */
export function testLife({ Flags, sync, sdk, Provider }) {
  const { OpenFeature, ProviderEvents, ProviderStatus } = sdk;

  /** Flags with a source that is well or fails, a provider of them in a domain of its own, and what the client hears. */
  function begin(domain, { options, source = {} } = {}) {
    const flags = new Flags();
    const store = { isAway: false, revision: 1 };
    const fetch = () => {
      if (store.isAway) {
        throw new Error('the store is away');
      }
      return document(store.revision, { on: true });
    };
    const client = OpenFeature.getClient(domain);
    const heard = [];
    for (const event of ['Ready', 'Stale', 'Error']) {
      client.addHandler(ProviderEvents[event], (details) => heard.push([event, details?.message]));
    }
    const syncing = (more = {}) => sync(flags, { name: 'store', fetch, ...source, ...more }, QUICK);
    const set = () => OpenFeature.setProviderAndWait(domain, new Provider(flags, options));
    return { flags, store, client, heard, syncing, set };
  }

  test('a source that fails makes the provider stale, and one that recovers makes it ready', async () => {
    const { store, client, heard, syncing, set } = begin('fails');
    const kept = syncing();
    await set();
    assert.equal(client.providerStatus, ProviderStatus.READY);
    heard.length = 0;
    for (let round = 0; round < 2; round++) {
      store.isAway = true;
      await until(() => client.providerStatus === ProviderStatus.STALE);
      assert.equal(await client.getBooleanValue('on', false), true, 'what is published stays');
      store.isAway = false;
      await until(() => client.providerStatus === ProviderStatus.READY);
    }
    kept.close();
    await until(() => client.providerStatus === ProviderStatus.STALE);
    const stale = ['Stale', 'the source fails: the store is away'];
    const ready = ['Ready', undefined];
    assert.deepEqual(heard, [stale, ready, stale, ready, ['Stale', 'nothing keeps the flags fresh any more']]);
  });

  test('a provider that begins with a copy is ready and then stale, until the source answers', async () => {
    const options = { initializationTimeoutMs: 50 };
    const { store, client, heard, syncing, set } = begin('copy', { options, source: { bootstrap: () => document(0, { on: true }) } });
    store.isAway = true;
    const kept = syncing();
    await set();
    await until(() => client.providerStatus === ProviderStatus.STALE);
    assert.equal(await client.getBooleanValue('on', false), true);
    store.isAway = false;
    await until(() => client.providerStatus === ProviderStatus.READY);
    // A browser's SDK tells a new handler of the provider before this one too.
    assert.deepEqual(heard.map(([event]) => event).slice(-3), ['Ready', 'Stale', 'Ready']);
    kept.close();
  });

  test('without any answer initialising ends with the time and says why; the first answer makes it ready', async () => {
    const { store, client, syncing, set } = begin('away', { options: { initializationTimeoutMs: 100 } });
    store.isAway = true;
    const kept = syncing();
    await assert.rejects(set(), /nothing was published within 0.1 s: the store is away/);
    assert.equal(client.providerStatus, ProviderStatus.ERROR);
    store.isAway = false;
    await until(() => client.providerStatus === ProviderStatus.READY);
    assert.equal(await client.getBooleanValue('on', false), true);
    kept.close();
  });

  test('what never gets better is fatal, and flags that are freed are an error', async () => {
    const fatal = begin('fatal');
    fatal.store.isAway = true;
    const kept = fatal.syncing();
    const setting = assert.rejects(fatal.set(), /nothing keeps the flags fresh any more/);
    kept.close();
    await setting;
    assert.equal(fatal.client.providerStatus, ProviderStatus.FATAL);
    const freed = begin('freed');
    freed.syncing();
    await freed.set();
    freed.flags.free();
    await until(() => freed.client.providerStatus === ProviderStatus.ERROR);
    assert.match(freed.heard.at(-1)[1], /the flags were freed/);
  });

  test('a provider that is closed while it waits for a source waits no longer', async () => {
    const { store, flags, syncing } = begin('closed');
    store.isAway = true;
    const kept = syncing();
    const provider = new Provider(flags);
    const initialised = assert.rejects(provider.initialize(), /the provider was closed before anything was published/);
    await provider.onClose();
    await initialised;
    kept.close();
  });

  test('a sync that begins later counts too', async () => {
    const { flags, store, client, syncing, set } = begin('later');
    flags.publishSync(document(1, { on: false }));
    await set();
    const kept = syncing();
    store.revision = 2;
    await until(() => flags.revision === 2);
    store.isAway = true;
    await until(() => client.providerStatus === ProviderStatus.STALE);
    kept.close();
  });

  test('an answer has the revision of its snapshot as metadata, and telemetry has it as the version', async () => {
    const events = [];
    const hooks = [{ finally: (context, details) => void events.push(sdk.createEvaluationEvent(context, details)) }];
    const { flags, client, set } = begin('metadata', { options: { hooks } });
    flags.publishSync(document(7, { on: true }));
    await set();
    const asked = async (key, type = 'Boolean', otherwise = false) => (await client[`get${type}Details`](key, otherwise)).flagMetadata;
    assert.deepEqual(await asked('on'), { revision: 7, version: '7' });
    assert.deepEqual(await asked('on', 'String', ''), { revision: 7, version: '7' }, 'also where the type is another');
    assert.deepEqual(await asked('missing'), {});
    flags.publishSync(document(8, { on: true }));
    assert.deepEqual(await asked('on'), { revision: 8, version: '8' });
    flags.publishSync('[{"name": "on", "enabled": true}]');
    assert.deepEqual(await asked('on'), {}, 'rows have no revision');
    assert.equal(events.length, 5, 'the hooks of a provider run');
    assert.equal(events[0].attributes['feature_flag.version'], '7');
  });

  test('a value of another type is called by its name', async () => {
    const { flags, client, set } = begin('type');
    flags.publishSync(JSON.stringify([{ name: 'object', enabled: true, variants: [{ key: 'o', value: {} }] }, { name: 'on', enabled: true }]));
    await set();
    assert.equal((await client.getStringDetails('object', '')).errorMessage, '`object` serves an object, expected a string');
    assert.equal((await client.getObjectDetails('on', {})).errorMessage, '`on` serves a boolean, expected an object');
  });

  test('what an app tracks reaches it, where it asked for that', async () => {
    const tracked = [];
    const { flags, client, set } = begin('track', { options: { onTrack: (...given) => tracked.push(given) } });
    flags.publishSync('[]');
    await set();
    const details = { value: 99.5, currency: 'EUR' };
    OpenFeature.getClient('track').track('checkout', ...(Provider.name.includes('Web') ? [details] : [{ targetingKey: 'ana' }, details]));
    assert.deepEqual(tracked.map(([name, , given]) => [name, given]), [['checkout', details]]);
    assert.equal(typeof tracked[0][1], 'object');
    // The SDK says that nothing is tracked if there is no such function.
    assert.equal(typeof new Provider(flags).track, typeof flags.track);
    assert.equal(client.providerStatus, ProviderStatus.READY);
  });

  test('a provider of something else than flags says so', () => {
    for (const wrong of [undefined, null, {}, 'flags']) {
      assert.throws(() => new Provider(wrong), { name: 'TypeError', message: /a provider needs flags, expected `new Flags\(\)`/ });
    }
  });
}
