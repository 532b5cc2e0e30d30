// The example as it is started, asked over loopback.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const rows = JSON.parse(readFileSync(new URL('../../data/feature_flags.json', import.meta.url), 'utf8'));
const server = spawn(process.execPath, [fileURLToPath(new URL('../server.js', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] });
const said = [];
let address;
for await (const line of createInterface({ input: server.stdout })) {
  said.push(line);
  address = /^listening on (http:.*)$/.exec(line)?.[1];
  if (address !== undefined) {
    break;
  }
}
test.after(async () => {
  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  assert.equal(code, 0);
});

const ADMIN = { 'x-company': 'acme', 'x-plan': 'PREMIUM', 'x-roles': 'USER,ADMIN', 'x-region': 'CO' };
const ask = async (path, headers = {}, options = {}) => {
  const response = await fetch(`${address}${path}`, { headers, ...options });
  return { status: response.status, body: await response.json() };
};
const publish = (body) => ask('/snapshot', { 'content-type': 'application/json' }, { method: 'PUT', body });

/** A user of the 10 %. The gate itself says who is. */
async function sampled() {
  for (let number = 0; number < 200; number++) {
    const headers = { ...ADMIN, 'x-user': `user-${number}` };
    if ((await ask('/crm/advanced', headers)).status === 200) {
      return headers;
    }
  }
  return assert.fail('nobody of 200 users is among the 10 %');
}

test('it says what it published', () => {
  assert.ok(said.includes(`published: ${rows.length} added, 0 removed, 0 changed`), said.join('\n'));
});

test('the gate is open only for callers who are targeted and sampled', async () => {
  const inside = await sampled();
  assert.deepEqual((await ask('/crm/advanced', inside)).body, { panel: ['custom fields', 'saved views', 'bulk edits'] });
  for (const change of [{ 'x-plan': 'BASIC' }, { 'x-roles': 'USER' }, { 'x-region': 'US' }]) {
    assert.equal((await ask('/crm/advanced', { ...inside, ...change })).status, 404);
  }
  assert.equal((await ask('/crm/advanced')).status, 404);
});

test('the projection holds values and nothing about why', async () => {
  const { body } = await ask('/flags?keys=crm_advanced_features,affiliate_landing_page,other', await sampled());
  assert.deepEqual(Object.keys(body), ['affiliate_landing_page', 'crm_advanced_features']);
  assert.deepEqual(body.crm_advanced_features, { enabled: true, value: true });
  assert.deepEqual(Object.keys(body.affiliate_landing_page).filter((name) => !['enabled', 'value', 'variant'].includes(name)), []);
  assert.ok(Object.keys((await ask('/flags', await sampled())).body).length > 40);
});

test('the client snapshot holds flags that are marked `client`', async () => {
  const { body } = await ask('/flags/client', ADMIN);
  const marked = rows.filter(({ client }) => client === true).map(({ name }) => name);
  assert.deepEqual(body.flags.map(({ name }) => name).sort(), marked.sort());
});

test('support learns why', async () => {
  const { body } = await ask('/support/explain/crm_advanced_features', { ...ADMIN, 'x-user': 'user-42', 'x-region': 'US' });
  assert.equal(body.resolution.reason, 'DEFAULT');
  assert.match(body.firstNo, /region US/);
  assert.match(body.lines[0], /^`crm_advanced_features` is OFF for user-42 of acme: /);
});

test('pages send events for the caller of their session, and support sees how guarded features are', async () => {
  const inside = await sampled();
  const guarded = rows.map((row) => (row.name === 'crm_advanced_features' ? { ...row, guard: { event: '/crm/advanced', errors: {} } } : row));
  assert.equal((await publish(JSON.stringify(guarded))).status, 200);
  assert.equal((await ask('/crm/advanced', inside)).status, 200);
  const { body } = await ask('/support/guards');
  assert.match(body.lines[0], /^crm_advanced_features: waiting, 1 units on and 0 off; errors: 0 bad on and 0 off/);
  const events = [{ event: 'crm_advanced_features', action: 'view', shown: 'children' }, { event: 'no_such_flag' }];
  const headers = { ...inside, 'content-type': 'application/json' };
  const answer = await ask('/v1/track', headers, { method: 'POST', body: JSON.stringify({ esclusa: 1, events }) });
  assert.deepEqual(answer, { status: 200, body: { taken: 1, refused: [{ at: 1, problem: '`no_such_flag` is no flag and no event of a guard' }] } });
  assert.equal((await publish(JSON.stringify(rows))).status, 200);
});

test('a rollback is in force with the next request, and a broken snapshot changes nothing', async () => {
  const inside = await sampled();
  const off = rows.map((row) => (row.name === 'crm_advanced_features' ? { ...row, enabled: false } : row));
  // The forecast has the feature as its prerequisite.
  const changed = ['crm_advanced_features', 'crm_deal_forecast'];
  assert.deepEqual((await publish(JSON.stringify(off))).body, { outcome: 'published', changed, setAside: [], violations: [] });
  assert.equal((await ask('/crm/advanced', inside)).status, 404);
  const refused = await publish('{"esclusa": 1, "flags": ');
  assert.equal(refused.status, 422);
  assert.match(refused.body.error, /line 1, column/);
  assert.equal((await ask('/crm/advanced', inside)).status, 404);
  assert.equal((await publish(JSON.stringify(rows))).status, 200);
  assert.equal((await ask('/crm/advanced', inside)).status, 200);
});
