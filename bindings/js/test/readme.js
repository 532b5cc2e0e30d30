// Runs the JavaScript blocks of a README as they stand, each as a module of its own.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The JavaScript blocks, each with the heading that it is under. */
export function blocksOf(readme) {
  const sections = readFileSync(readme, 'utf8').split(/^##+ /m).slice(1);
  return sections.flatMap((section) =>
    [...section.matchAll(/^```js\n(.*?)^```/gms)].map((match) => ({ heading: section.split('\n', 1)[0], code: match[1] })),
  );
}

/** A block that is a server goes on, and answers 200. */
async function answers(file) {
  const free = createServer().listen(0);
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  const server = spawn(process.execPath, [file], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    for (;;) {
      assert.equal(server.exitCode, null, 'the server goes on');
      const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      if (response !== undefined) {
        return assert.equal(response.status, 200);
      }
      await sleep(20);
    }
  } finally {
    if (server.exitCode === null) {
      server.kill();
      await once(server, 'exit');
    }
  }
}

/**
 * One test for each block; what a block prints to the console must hold `expected`, by the heading that it is under. The
 * blocks under the headings of `recipes` need a server, and have tests of their own.
 */
export function testReadme(readme, expected, recipes = []) {
  const blocks = blocksOf(readme).filter(({ heading }) => !recipes.includes(heading));
  assert.ok(blocks.length >= 5, 'the blocks are found');
  for (const { heading, code } of blocks) {
    test(`README: ${heading}`, () => {
      // Each comment behind a call says what it gives, where that can be read as a value.
      const checked = code.replace(/^(flags\.\w+\(.*\)); \/\/ ((?:true|false|'|\{)[^;]*?)(?:;.*)?$/gm, (_, call, value) => `(await import('node:assert/strict')).deepStrictEqual(${call}, ${value});`);
      // It stands beside the README, so that it finds the packages that the README's package finds.
      const file = fileURLToPath(new URL(`readme-block-${process.pid}.mjs`, readme));
      writeFileSync(file, checked);
      if (code.includes('.listen(')) {
        return answers(file).finally(() => rmSync(file));
      }
      const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
      rmSync(file);
      assert.equal(status, 0, stderr);
      for (const line of expected[heading] ?? []) {
        assert.ok((stdout + stderr).includes(line), `${heading} prints ${stdout}${stderr}, expected ${line}`);
      }
    });
  }
  test('README: every heading that is expected is there', () => {
    const headings = blocks.map(({ heading }) => heading);
    assert.deepEqual(Object.keys(expected).filter((heading) => !headings.includes(heading)), []);
  });
}
