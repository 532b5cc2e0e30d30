// Every fault that a store, or the network before it, can have: answers stay, the event loop goes on, the status says
// why, and all is well again when it ends.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { build, host } from './hosts.js';
import { Loopback, QUICK, document, skip, table, until } from './loopback.js';

const { Flags, http } = host;
const without = skip || (build.sync ? false : 'this build keeps nothing fresh');
const { faults, timeout_ms: timeoutMs, max_bytes: maxBytes } = table();
let loopback;
let revision = 0;
before(async () => {
  loopback = without ? undefined : await Loopback.start();
});
after(() => loopback?.end());

const publish = async (crm) => {
  revision += 1;
  await loopback.tell({ snapshot: document(revision, { steady: true, crm }) });
  return revision;
};
const source = (options) => http(loopback.url, { timeoutMs, maxBytes, ...options });
/** A build without messages says what is wrong in fewer words. */
const says = ({ lastError }, words) =>
  lastError !== null && (words.includes('json') && !build.messages ? lastError.error !== '' : words.every((word) => lastError.error.toLowerCase().includes(word)));

test('there are faults', { skip: without }, () => assert.ok(faults.length > 20));

for (const { name, about, fault, expected, says: words } of faults) {
  test(`${name}: ${about}`, { skip: without }, async () => {
    await publish(false);
    const current = await publish(true);
    const flags = new Flags();
    const syncing = host.sync(flags, source(), QUICK);
    await until(() => flags.revision === current && syncing.status().state === 'fresh');
    await loopback.tell({ fault });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const late = new Flags();
    const starting = host.sync(late, source(), QUICK);
    // What is older for others is an answer to somebody who has none.
    if (expected === 'fresh' || name === 'older') {
      await until(() => starting.status().state === 'fresh');
    } else {
      await until(() => says(starting.status(), words));
      assert.deepEqual([starting.status().state, await starting.ready(0), late.isEnabled('crm', null, true)], ['starting', false, true]);
    }
    if (expected === 'failing') {
      await until(() => syncing.status().state === 'failing' && (syncing.status().failures > 1 || fault.retry_after));
      assert.ok(says(syncing.status(), words), JSON.stringify(syncing.status()));
      assert.ok(!JSON.stringify(syncing.status()).includes('?'));
    } else {
      const { counts } = await loopback.tell({ counts: true });
      const sum = (counts) => Object.values(counts).reduce((one, other) => one + other);
      await until(async () => sum(await loopback.counts()) > sum(counts) + 3);
      assert.equal(syncing.status().state, 'fresh');
    }
    delay.disable();
    assert.ok(delay.max < 2e9, `the event loop stood still for ${delay.max / 1e6} ms`);
    assert.deepEqual([flags.isEnabled('crm'), flags.isEnabled('steady'), flags.revision], [true, true, current]);
    const next = await publish(false);
    await loopback.tell({ fault: null });
    for (const [one, its] of [[flags, syncing], [late, starting]]) {
      its.refresh();
      await until(() => one.revision === next && its.status().state === 'fresh');
      assert.deepEqual([one.isEnabled('crm'), its.status().failures], [false, 0]);
      its.close();
    }
  });
}

test('what authorizes stays at home, and is shown nowhere', { skip: without }, async () => {
  const current = await publish(true);
  await loopback.tell({ authorization: 'Bearer a-secret' });
  await loopback.tell({ fault: { kind: 'redirect_elsewhere' } });
  const before = await loopback.counts();
  const flags = new Flags();
  const said = [];
  const logger = { warn: (line) => said.push(line), info: (line) => said.push(line), debug: (line) => said.push(line) };
  const secret = http(`${loopback.url}?key=a-secret`, { token: 'a-secret', headers: { 'X-Api-Key': 'a-secret' }, timeoutMs });
  const syncing = host.sync(flags, secret, { ...QUICK, logger });
  await until(() => flags.revision === current);
  const counts = await loopback.counts();
  assert.ok(counts.elsewhere > before.elsewhere);
  assert.deepEqual([counts.secrets_elsewhere, counts.unauthorized], [before.secrets_elsewhere, before.unauthorized]);
  await loopback.tell({ fault: null });
  await loopback.tell({ authorization: 'Bearer another' });
  await until(() => says(syncing.status(), ['401']));
  await loopback.tell({ authorization: null });
  syncing.close();
  assert.ok(said.length > 1 && ![secret.name, JSON.stringify(syncing.status()), ...said].some((text) => text.includes('a-secret')), said.join('\n'));
});

test('the user and the password of a URL are sent as fetch would not', { skip: without }, async () => {
  const current = await publish(true);
  await loopback.tell({ authorization: `Basic ${btoa('user:pass@word')}` });
  const flags = new Flags();
  const syncing = host.sync(flags, http(loopback.url.replace('//', '//user:pass%40word@'), { timeoutMs }), QUICK);
  await until(() => flags.revision === current);
  syncing.close();
  await loopback.tell({ authorization: null });
  assert.equal(syncing.status().source, loopback.url);
});

test('tags and compression are used, and nothing is published that was published before', { skip: without }, async () => {
  const current = await publish(true);
  const before = await loopback.counts();
  const flags = new Flags();
  let heard = 0;
  flags.onPublish(() => (heard += 1));
  const syncing = host.sync(flags, source(), QUICK);
  await until(async () => (await loopback.counts()).not_modified > before.not_modified + 3);
  const counts = await loopback.counts();
  assert.deepEqual([counts.snapshots, counts.compressed], [before.snapshots + 1, before.compressed + 1]);
  await loopback.tell({ fault: { kind: 'new_etag_each_time' } });
  await until(async () => (await loopback.counts()).faults > counts.faults + 3);
  await loopback.tell({ fault: null });
  syncing.close();
  assert.deepEqual([heard, flags.revision, syncing.status().failures], [1, current, 0]);
});

for (const retry_after of [{ seconds: 3600 }, { date: 3600 }]) {
  test(`a store that wants to be left alone is: ${JSON.stringify(retry_after)}`, { skip: without }, async () => {
    const current = await publish(true);
    const [flags, other] = [new Flags(), new Flags()];
    const syncing = host.sync(flags, source(), QUICK);
    await until(() => flags.revision === current);
    await loopback.tell({ fault: { kind: 'status', status: 503, retry_after } });
    await until(() => syncing.status().state === 'failing');
    // As many retries as there would have been by now without that wish.
    const without = host.sync(other, http(loopback.url.replace('flags.json', 'nowhere')), QUICK);
    await until(() => without.status().failures > 10);
    without.close();
    assert.equal(syncing.status().failures, 1);
    await loopback.tell({ fault: null });
    syncing.refresh();
    await until(() => syncing.status().state === 'fresh');
    syncing.close();
  });
}

test('events bring news, and polling finds what they miss', { skip: without }, async () => {
  await publish(true);
  await loopback.tell({ heartbeat_ms: 50 });
  const flags = new Flags();
  const slow = { ...QUICK, intervalMs: 3_000, staleAfterMs: 60_000 };
  const syncing = host.sync(flags, source({ events: loopback.events_url, heartbeatMs: 500 }), slow);
  const listeners = async () => (await loopback.tell({ counts: true })).listeners;
  await until(async () => (await listeners()) === 1);
  for (let round = 0; round < 3; round += 1) {
    const next = await publish(round % 2 === 0);
    await until(() => flags.revision === next);
  }
  await loopback.tell({ events: 'silent' });
  const missed = await publish(true);
  await until(() => flags.revision === missed);
  await loopback.tell({ events: 'speaking' });
  await until(async () => (await listeners()) >= 1);
  await loopback.tell({ events: 'end' });
  const last = await publish(false);
  await until(() => flags.revision === last);
  syncing.close();
  await until(async () => (await listeners()) === 0);
});

test('what is no URL or no header is refused at once and not repeated', { skip: build.sync ? false : 'this build keeps nothing fresh' }, () => {
  const refused = [
    [['flags.json'], /cannot be read/],
    [['http://user:secret@exa mple/'], /cannot be read/],
    [['postgres://user:secret@db/flags'], /begins with `postgres:`/],
    [['http://localhost', { headers: { 'bad name': 'secret' } }], /a header cannot be sent/],
    [['http://localhost', { token: 'sec\nret' }], /a header cannot be sent/],
    [['http://localhost', { timeoutMs: 0 }], /`timeoutMs` is 0, expected 1 to/],
  ];
  for (const [given, expected] of refused) {
    assert.throws(() => http(...given), (problem) => expected.test(problem.message) && !problem.message.includes('secret'));
  }
});
