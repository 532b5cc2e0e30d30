// Waiting for the answer that was asked for: it ends when that is in, or says why not.
import assert from 'node:assert/strict';
import test from 'node:test';

import { build, host } from './hosts.js';
import { document, until } from './loopback.js';

const { Flags, sync } = host;
const skip = !build.sync && 'this build keeps nothing fresh';
const SELDOM = { intervalMs: 3_600_000, backoffMinMs: 3_600_000, backoffMaxMs: 3_600_000, timeoutMs: 60_000, logger: null };

test('a refresh ends when the answer is in, or says why not', { skip }, async () => {
  let answer = () => document(1, { crm: true });
  const flags = new Flags();
  const syncing = sync(flags, () => answer(), SELDOM);
  assert.equal(await syncing.ready(60_000), true);
  answer = () => document(2, { crm: false });
  assert.equal(await syncing.refresh(60_000), null);
  assert.deepEqual([flags.revision, flags.isEnabled('crm')], [2, false]);
  assert.equal(await syncing.refresh(), null, 'what has not changed is an answer too');
  for (const [wrong, says] of [[() => { throw new Error('away'); }, /away/], [() => '{', /./], [() => document(1, {}), /revision 1 is older than the current one, 2/]]) {
    answer = wrong;
    assert.match(await syncing.refresh(60_000), says);
    assert.deepEqual([syncing.status().state, flags.revision], ['failing', 2]);
  }
  answer = () => new Promise(() => undefined);
  assert.equal(await syncing.refresh(100), 'no answer within 0.1 s');
  syncing.close();
  assert.equal(await syncing.refresh(60_000), 'it is closed');
});

test('an answer that was on its way is not taken for a new one', { skip }, async () => {
  const given = [];
  const flags = new Flags();
  const syncing = sync(flags, () => new Promise((resolve) => given.push(resolve)), SELDOM);
  await until(() => given.length === 1);
  const first = syncing.refresh(60_000);
  given[0](document(1, { crm: true }));
  await until(() => given.length === 2);
  const second = syncing.refresh(60_000);
  given[1](document(2, { crm: true }));
  assert.equal(await first, null);
  assert.equal(flags.revision, 2);
  await until(() => given.length === 3);
  given[2](document(3, { crm: true }));
  assert.equal(await second, null);
  assert.equal(flags.revision, 3);
  const waiting = Promise.resolve(syncing.refresh(60_000));
  syncing.close();
  assert.equal(await waiting, 'it is closed');
});
