// The program that other hosts are compared with, byte by byte.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { name } from './hosts.js';

test('lines of JSON are answered in lines of canonical JSON', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const value = { '10': 1e21, '9': -0, b: [1.5, null, 'ñ\u2028'], a: { '': true }, '\u{1f680}': 1, '\uffff': 2 };
  const lines = [
    { key: 'x', context: {} },
    { snapshot: [{ name: 'x', enabled: true, variants: [{ key: 'v', value }] }, { name: 'late', enabled: true, start_date: '2025-01-01' }] },
    { key: 'x', context: { user: 'u' } },
    { key: 'late', context: null, now: Date.UTC(2025, 0, 1) - 1 },
    { key: 'late', now: Date.UTC(2025, 0, 1) },
    { snapshot: { esclusa: 1, flags: [] } },
    { key: 'x', context: {}, now: 0 },
  ];
  const file = join(folder, 'lines.jsonl');
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const program = fileURLToPath(new URL('triples.mjs', import.meta.url));
  const answers = execFileSync(process.execPath, [program, name, file], { encoding: 'utf8' }).split('\n');
  assert.deepEqual(answers, [
    '{"enabled":false,"error":"PROVIDER_NOT_READY","reason":"ERROR","value":null,"variant":null}',
    // The rocket's first half sorts before U+FFFF.
    '{"enabled":true,"error":null,"reason":"STATIC","value":{"10":1e+21,"9":0,"a":{"":true},"b":[1.5,null,"ñ\u2028"],"\u{1f680}":1,"\uffff":2},"variant":"v"}',
    '{"enabled":false,"error":null,"reason":"DISABLED","value":false,"variant":null}',
    '{"enabled":true,"error":null,"reason":"TARGETING_MATCH","value":true,"variant":null}',
    '{"enabled":false,"error":"FLAG_NOT_FOUND","reason":"ERROR","value":null,"variant":null}',
    '',
  ]);
});
