/** The lines of other hosts, answered in Chromium: the program itself, on what the vectors ask. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './repository-server.js';

const FOLDER = join(ROOT, 'target/chromium-triples');

type Vector = { snapshot?: object; flag?: string; context?: object; now?: string | number };

/** Every vector of one snapshot and one question, as two lines. */
function lines(): string[] {
  const folder = join(ROOT, 'spec/vectors');
  const files = readdirSync(folder).filter((file) => /^\d.*\.json$/.test(file));
  const vectors = files.flatMap((file) => (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { vectors: Vector[] }).vectors);
  return vectors
    .filter((vector) => vector.snapshot && vector.flag !== undefined)
    .flatMap(({ snapshot, flag, context, now = '2025-06-15T12:00:00Z' }) => {
      const time = typeof now === 'string' ? Date.parse(now) : now;
      return [JSON.stringify({ snapshot }), JSON.stringify({ key: flag, context: context ?? null, now: time })];
    });
}

test.each(['wasm-full', 'wasm'])('Chromium answers as Node does: %s', (build) => {
  mkdirSync(FOLDER, { recursive: true });
  const [input, output] = [join(FOLDER, 'input.jsonl'), join(FOLDER, `${build}.txt`)];
  const asked = lines();
  writeFileSync(input, asked.join('\n'));
  execFileSync(process.execPath, [join(import.meta.dirname, 'chromium-triples.mjs'), input, output, build]);
  const inNode = execFileSync(process.execPath, [join(ROOT, 'bindings/js/test/triples.mjs'), build, input], { encoding: 'utf8' });
  const inChromium = readFileSync(output, 'utf8');
  expect(inChromium.split('\n').length - 1).toBe(asked.length / 2);
  expect(asked.length).toBeGreaterThan(200);
  expect(inChromium).toBe(inNode);
});
