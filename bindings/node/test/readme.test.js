// The README's code runs and does what it says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { testReadme } from '../../js/test/readme.js';

testReadme(
  new URL('../README.md', import.meta.url),
  {
    Asking: ['`layout` is ON for user-42'],
    'Keeping fresh': ['true environment over http://127.0.0.1:9/flags.json over bundled', "state: 'failing'"],
    Publishing: ["added: [ 'bad', 'on' ]", '/1/rollout_percentage: 150 is out of range, expected 0 to 100'],
  },
  // recipes.test.js runs them.
  ['Postgres', 'Redis'],
);

test('the first page: its JavaScript runs beside the table of the examples', () => {
  const page = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
  assert.equal(blocks.length, 1);
  const file = fileURLToPath(new URL(`../readme-first-${process.pid}.mjs`, import.meta.url));
  // What is in the gate says that it was reached.
  writeFileSync(file, blocks[0].replace('// the new CRM', "console.log('the new CRM');"));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', cwd: new URL('../../../examples/data', import.meta.url) });
  rmSync(file);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^(the new CRM\n)?$/);
});
