// The README's code runs and does what it says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { blocksOf, testReadme } from '../../js/test/readme.js';

testReadme(
  new URL('../README.md', import.meta.url),
  {
    'A table with other columns': ["true false [ { why: 'environment', rows: 1 } ]", 'true true'],
    Asking: ['`layout` is ON for user-42'],
    'One set for a whole request': ['true false'],
    'Guards: a feature that does harm switches itself off': ['7 crm: waiting, '],
    'Functions that are frozen between calls': ['true null'],
    'Keeping fresh': ['true environment over http://127.0.0.1:9/flags.json over bundled', "state: 'failing'"],
    Publishing: ["added: [ 'bad', 'on' ]", '/1/rollout_percentage: 150 is out of range, expected 0 to 100'],
  },
  // They need servers: stores.test.js and trips.test.js have them.
  ['Postgres', 'Redis', 'One store for all processes'],
);

const firstPage = new URL('../../../README.md', import.meta.url);

/** What the block under a heading of the repository's first page prints. */
async function firstPagePrints(heading, environment = {}) {
  const blocks = blocksOf(firstPage).filter((block) => block.heading === heading);
  assert.equal(blocks.length, 1, heading);
  const file = fileURLToPath(new URL(`../readme-first-${process.pid}.mjs`, import.meta.url));
  writeFileSync(file, blocks[0].code);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env: { ...process.env, ...environment } });
    return stdout;
  } finally {
    rmSync(file);
  }
}

test('the first page: a first answer', async () => {
  const printed = await firstPagePrints('Node');
  assert.match(printed, /^true\n/);
  assert.match(printed, /the plan FREE is not among the targets \(PREMIUM\)/);
});

test('the first page: flags from Supabase, and a projection', async () => {
  const asked = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers.authorization, headers.apikey]);
    response.setHeader('etag', '"7"').end('[{"name": "crm_advanced_features", "enabled": true, "target_plans": ["PREMIUM"]}]');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const printed = await firstPagePrints('With Supabase or Postgres in three steps', {
      SUPABASE_URL: `http://127.0.0.1:${server.address().port}`,
      SUPABASE_SERVICE_ROLE_KEY: 'a-key',
    });
    assert.deepEqual(asked, [['/rest/v1/rpc/esclusa_ask', 'Bearer a-key', 'a-key']]);
    assert.match(printed, /^fresh { crm_advanced_features: { enabled: true, value: true } }$/m);
  } finally {
    server.close();
  }
});
