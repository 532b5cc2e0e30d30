// Keeping fresh: sources of every kind, good and bad, and what a sync holds and lets go.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { build, host } from './hosts.js';
import { QUICK, document, until } from './loopback.js';

const { Failure, Flags, NOT_MODIFIED, bundled, environment, layers, sync } = host;
const skip = build.sync ? false : 'this build keeps nothing fresh';
const withoutLayers = build.rules ? false : 'this build has no layers';
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

test('a function that gives text, bytes, or a promise of them is a source', { skip }, async () => {
  const text = document(1, { on: true });
  const given = [text, Buffer.from(text), new TextEncoder().encode(text).buffer, new DataView(new TextEncoder().encode(text).buffer), { bytes: text, etag: 'e' }, { bytes: text }];
  for (const answer of given.flatMap((answer) => [answer, Promise.resolve(answer)])) {
    const flags = new Flags();
    const syncing = sync(flags, () => answer, QUICK);
    assert.deepEqual([await syncing.ready(60_000), flags.isEnabled('on'), syncing.isClosed], [true, true, false]);
    await until(() => syncing.status().state === 'fresh');
    const { ageMs, ...status } = syncing.status();
    assert.deepEqual(status, { state: 'fresh', source: 'function', revision: 1, failures: 0, lastError: null, polled: null, mappedBy: null });
    assert.ok(ageMs >= 0);
    syncing[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
    assert.equal(syncing.isClosed, true);
  }
});

test('a source is asked with what it said last', { skip }, async () => {
  const asked = [];
  const source = {
    name: 'table',
    async fetch({ etag, revision, signal }) {
      asked.push([etag, revision, signal.aborted]);
      return etag === 'seven' ? NOT_MODIFIED : { bytes: document(7, { on: true }), etag: 'seven' };
    },
  };
  const flags = new Flags();
  const syncing = sync(flags, source, QUICK);
  await until(() => asked.length > 2);
  syncing.close();
  assert.deepEqual(asked.slice(0, 3), [[null, null, false], ['seven', 7, false], ['seven', 7, false]]);
  assert.equal(syncing.status().source, 'table');
});

const BROKEN = {
  'throws at once': [() => { throw new Error('away'); }, 'away'],
  'rejects later': [() => Promise.reject(new Error('away', { cause: new Error('no route') })), 'away: no route'],
  'rejects with undefined': [() => Promise.reject(undefined), 'failed with undefined'],
  'throws a text': [() => { throw 'away'; }, 'away'],
  'throws null': [() => { throw null; }, 'failed with null'],
  'throws what cannot be read': [() => { throw new Proxy({}, { get() { throw new Error('no'); }, getPrototypeOf() { throw new Error('no'); } }); }, 'cannot be read'],
  'throws a secret': [() => { throw new Error('postgres://app:hunter2@db/app?password=hunter2 refused'); }, 'postgres://db/app refused'],
  'gives nothing': [() => undefined, 'the source gave undefined, expected text'],
  'gives a number': [() => 7, 'the source gave a value of type number, expected text'],
  'gives a wrong etag': [() => ({ bytes: '[]', etag: 7 }), 'the source gave'],
  'gives no snapshot': [() => '<html>', ''],
  'never settles': [() => new Promise(() => undefined), 'no answer within 0.03 s'],
  'a failure that says more': [() => { throw new Failure('busy', { retryAfterMs: 10 }); }, 'busy'],
};
for (const [what, [fetch, said]] of Object.entries(BROKEN)) {
  test(`a source that ${what} is a failure like any other`, { skip }, async () => {
    let isBroken = true;
    const flags = new Flags();
    const syncing = sync(flags, () => (isBroken ? fetch() : document(2, { on: true })), { ...QUICK, timeoutMs: 30 });
    await until(() => syncing.status().failures > 1);
    const { state, lastError } = syncing.status();
    assert.equal(state, 'starting');
    assert.ok(lastError.error.includes(said) && lastError.at instanceof Date && !lastError.error.includes('hunter2'), lastError.error);
    isBroken = false;
    await until(() => flags.isEnabled('on') && syncing.status().state === 'fresh');
    isBroken = true;
    await until(() => syncing.status().state === 'failing');
    assert.equal(flags.isEnabled('on'), true);
    syncing.close();
  });
}

test('what is no source, and no option, is refused at once', { skip }, () => {
  for (const source of [null, undefined, 'flags.json', {}, { name: 'x' }]) {
    assert.throws(() => sync(new Flags(), source), /this is no source, expected an object with `name` and `fetch`/);
  }
  for (const [options, said] of [[{ intervalMs: 0 }, /`intervalMs` is 0, expected 1 to/], [{ jitter: 2 }, /`jitter` is 2, expected 0 to 1/], [{ timeoutMs: '1' }, TypeError], [{ staleAfterMs: Number.NaN }, RangeError]]) {
    assert.throws(() => sync(new Flags(), () => '[]', options), said);
  }
});

test('flags are kept fresh from one source at a time', { skip }, async () => {
  const flags = new Flags();
  const first = sync(flags, () => document(1, { on: true }), QUICK);
  assert.throws(() => sync(flags, () => '[]'), /the flags are kept fresh already, from function: close that first/);
  await first.ready(60_000);
  first.close();
  first.close();
  const second = sync(flags, () => document(2, { on: false }), QUICK);
  await until(() => flags.revision === 2);
  flags.free();
  assert.deepEqual([second.isClosed, flags.isReady], [true, false]);
  await sleep(200);
  assert.equal(flags.isReady, false, 'what was freed is not kept fresh');
});

test('a bundled snapshot answers at once, and the store confirms it without a second publish', { skip }, async () => {
  const flags = new Flags();
  let heard = 0;
  flags.onPublish(() => (heard += 1));
  const syncing = sync(flags, bundled(document(1, { on: true })), QUICK);
  assert.deepEqual([flags.isEnabled('on'), syncing.status().state, await syncing.available(0)], [true, 'stale', true]);
  await until(() => syncing.status().state === 'fresh');
  syncing.close();
  assert.equal(heard, 1);
});

test('a copy that is broken, comes later or never comes holds nothing up', { skip }, async () => {
  for (const bootstrap of [() => '{', () => { throw new Error('no'); }, () => Promise.reject(new Error('no')), () => new Promise(() => undefined), async () => document(1, { old: true })]) {
    const flags = new Flags();
    const said = [];
    const syncing = sync(flags, { name: 'store', fetch: () => document(2, { on: true }), bootstrap }, { ...QUICK, timeoutMs: 30, logger: { warn: (line) => said.push(line), info() {} } });
    await until(() => flags.isEnabled('on'));
    syncing.close();
    assert.ok(said.length <= 1 && said.every((line) => line.startsWith('esclusa: store: a copy cannot be used')), said.join('\n'));
  }
});

test('news is asked for, while the source is asked too, and a watch is begun again after it was cut off', { skip }, async () => {
  let [revision, watches, stops, tell] = [1, 0, 0, undefined];
  const source = {
    name: 'store',
    fetch: async () => document(revision, { on: true }),
    watch(told) {
      watches += 1;
      tell = told;
      if (watches === 2) throw new Error('no way to listen');
      return watches === 3 ? Promise.resolve(() => (stops += 1)) : () => (stops += 1);
    },
  };
  const flags = new Flags();
  const syncing = sync(flags, source, { ...QUICK, intervalMs: 600_000, backoffMaxMs: 600_000 });
  await until(() => flags.revision === 1 && syncing.status().state === 'fresh');
  revision = 2;
  tell('changed');
  await until(() => flags.revision === 2);
  assert.deepEqual([watches, stops], [1, 0]);
  const old = tell;
  old('disconnected');
  syncing.refresh();
  await until(() => watches === 2);
  assert.equal(stops, 1);
  syncing.refresh();
  await until(() => watches === 3);
  revision = 3;
  old('changed');
  tell('changed');
  await until(() => flags.revision === 3);
  syncing.close();
  await until(() => stops === 2);
  tell('changed');
  assert.equal(watches, 3);
});

test('failures, recoveries and publishes are logged, and a logger that throws has no effect', { skip }, async () => {
  const said = [];
  let isBroken = false;
  const logger = { warn: (line) => said.push(`warn ${line}`), info: (line) => { said.push(`info ${line}`); throw new Error('no'); } };
  const flags = new Flags();
  const syncing = sync(flags, () => { if (isBroken) throw new Error('away'); return document(1, { on: true, ['']: true }); }, { ...QUICK, logger });
  await until(() => said.some((line) => /^info esclusa: fresh from function, revision 1, 0 s old$/.test(line)));
  assert.ok(said.some((line) => line.startsWith('warn esclusa: function: /flags/1')), said.join('\n'));
  isBroken = true;
  await until(() => said.some((line) => /^warn esclusa: failing from function, revision 1, 0 s old, 1 failure, the last: away$/.test(line)));
  isBroken = false;
  const before = said.length;
  await until(() => said.slice(before).some((line) => line.startsWith('info esclusa: fresh')));
  syncing.close();
});

test('the log says what was understood, once for the same columns and without a value', { skip }, async () => {
  const said = [];
  const logger = { warn: (line) => said.push(`warn ${line}`), info: (line) => said.push(`info ${line}`) };
  const flags = new Flags();
  let rows = [{ name: 'crm', enabled: true, ticket: 's3cret' }];
  const syncing = sync(flags, () => JSON.stringify(rows), { ...QUICK, logger });
  await until(() => flags.isEnabled('crm'));
  rows = [...rows, { name: 'b', enabled: true }];
  await until(() => flags.isEnabled('b'));
  rows = rows.map((row) => ({ ...row, rollout_percent: 5 }));
  await until(() => said.some((line) => line.includes('NOT READ')));
  syncing.close();
  const told = said.filter((line) => line.includes('\n'));
  assert.equal(told.length, 2, said.join('\n'));
  assert.equal(told[0], 'info esclusa: function: 1 row, 1 flag\n  read      name, enabled\n  not read  ticket (1 row)');
  assert.match(told[1], /^warn esclusa: function: 2 rows, 2 flags\n(.|\n)*rollout_percent looks like a restriction and is set in 2 rows/);
  assert.ok(!said.join('').includes('s3cret'));
});

test('ready waits at most its time, and not at all for a closed sync', { skip }, async () => {
  const flags = new Flags();
  const syncing = sync(flags, () => new Promise(() => undefined), QUICK);
  assert.equal(await syncing.ready(20), false);
  const waiting = syncing.ready(600_000);
  syncing.close();
  assert.deepEqual([await waiting, await syncing.ready(600_000)], [false, false]);
});

test('a revision that is older is a failure, and what is published stays', { skip }, async () => {
  let revision = 5;
  const flags = new Flags();
  const syncing = sync(flags, () => document(revision, { on: revision === 5 }), QUICK);
  await until(() => flags.revision === 5);
  revision = 4;
  await until(() => syncing.status().failures > 1);
  assert.deepEqual([syncing.status().state, flags.isEnabled('on')], ['failing', true]);
  assert.match(syncing.status().lastError.error, /revision 4 is older than the current one, 5/);
  syncing.close();
});

test('layers: the uppermost counts, switches switch, and one that fails is named [13.1, 13.5, 13.11]', { skip: withoutLayers }, async () => {
  let [isAway, store] = [false, document(3, { crm: true, qr: false })];
  const flags = new Flags();
  const source = { name: 'store', fetch: () => { if (isAway) throw new Failure('away', { retryAfterMs: 1 }); return store; } };
  const switches = environment({ FEATURE_QR: 'true', ENABLE_OTHER: 'off' });
  const syncing = sync(flags, layers(switches, source, bundled(document(1, { crm: false, billing: true }))), QUICK);
  // There is no revision while a layer has said nothing [13.4].
  assert.deepEqual([flags.isEnabled('billing'), flags.isEnabled('crm', null, true), flags.revision], [true, false, null]);
  await until(() => flags.revision === 3);
  assert.deepEqual(['crm', 'qr', 'other', 'billing'].map((key) => flags.isEnabled(key)), [true, true, false, true]);
  assert.equal(syncing.status().source, 'environment over store over bundled');
  isAway = true;
  await until(() => syncing.status().state === 'failing');
  assert.equal(syncing.status().lastError.error, 'store: away');
  assert.equal(flags.isEnabled('crm'), true);
  [isAway, store] = [false, document(4, { crm: false })];
  await until(() => flags.revision === 4 && syncing.status().state === 'fresh');
  store = '{';
  await until(() => syncing.status().state === 'failing');
  assert.match(syncing.status().lastError.error, /^store: /);
  assert.equal(flags.revision, 4, 'a layer that is no snapshot does not take the place of one [13.8]');
  syncing.close();
});

test('layers: what there is is published while others have said nothing, but not switches alone [13.11, 13.12]', { skip: withoutLayers }, async () => {
  let isAway = true;
  const store = () => { if (isAway) throw new Error('away'); return document(2, { crm: true }); };
  const [flags, switched] = [new Flags(), new Flags()];
  const own = { EXTRA_CRM: '1', EXTRA_: '1', OTHER: '1', EXTRA_BAD: 'perhaps' };
  const warned = console.warn;
  const warnings = [];
  console.warn = (line) => warnings.push(line);
  const one = sync(flags, layers(store, bundled(document(1, { ground: true }))), QUICK);
  const other = sync(switched, layers(environment(own, ['EXTRA_']), store), QUICK);
  console.warn = warned;
  assert.match(warnings.join(), /EXTRA_BAD: does not fit/);
  await until(() => one.status().failures > 1 && other.status().failures > 1);
  assert.deepEqual([flags.isEnabled('ground'), one.status().state, switched.isReady, other.status().state], [true, 'failing', false, 'starting']);
  isAway = false;
  await until(() => flags.isEnabled('crm') && switched.isEnabled('crm'));
  one.close();
  other.close();
  assert.throws(() => layers(), /there is no layer/);
});

test('an answer without rows is a failure unless the app allows it, in layers too [11.17]', { skip: withoutLayers }, async () => {
  for (const said of [() => '[]', () => ` [${' '.repeat(5000)}] `, layers(() => '[]')]) {
    const syncing = sync(new Flags(), said, QUICK);
    await until(() => syncing.status().failures > 0);
    assert.match(syncing.status().lastError.error, /has no rows/);
    syncing.close();
  }
  for (const said of [() => '[]', layers(() => '[]')]) {
    const syncing = sync(new Flags(), said, { ...QUICK, allowEmpty: true });
    assert.ok(await syncing.ready(20_000), syncing.status().lastError?.error);
    syncing.close();
  }
});

test('unreachable flags are not kept fresh', { skip }, async () => {
  let asked = 0;
  const syncs = [];
  (() => {
    for (let at = 0; at < 20; at += 1) syncs.push(sync(new Flags(), () => { asked += 1; return '[]'; }, { ...QUICK, intervalMs: 5 }));
  })();
  await until(async () => {
    collect();
    await turn();
    return syncs.every((one) => one.isClosed);
  });
  const before = asked;
  await sleep(100);
  assert.equal(asked, before);
});

test('10,000 cycles leave nothing behind', { skip }, async (t) => {
  let asked = 0;
  const flags = new Flags();
  const store = {
    name: 'store',
    // Every answer is another one, every tenth is refused, and every hundredth fails.
    fetch: async () => { asked += 1; if (asked % 100 === 0) throw new Error('away'); return asked % 10 === 0 ? '{' : document(asked, { on: asked % 2 === 0 }); },
    watch: () => () => undefined,
  };
  const syncing = sync(flags, store, { ...QUICK, intervalMs: 1, backoffMinMs: 1, backoffMaxMs: 1, spreadMs: 0 });
  const sizes = [];
  const look = async (count) => {
    while (asked < count) {
      syncing.refresh();
      await turn();
    }
    collect();
    await turn();
    collect();
    sizes.push(process.memoryUsage().heapUsed);
  };
  await look(2_000);
  for (let count = 4_000; count <= 12_000; count += 2_000) await look(count);
  syncing.close();
  const grown = sizes.at(-1) - sizes[0];
  t.diagnostic(`12,000 cycles: the heap has ${grown} bytes more after the last 10,000`);
  assert.ok(grown < 2_000_000, `${sizes}`);
  await until(() => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length <= 1);
});
