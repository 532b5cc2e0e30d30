// Threads that end while objects wait to be finalized, in contexts of their own as test runners make them: it must not
// abort the process, so each is a process of its own here.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const package_ = require.resolve('@esclusa/node');
const THREADS = 6;

/** Loads the package in a context of its own, uses it, and leaves what it made to the garbage collector. */
const WORKER = `const vm = require('node:vm');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
require('node:v8').setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
const globals = { AbortController, Buffer, TextDecoder, TextEncoder, URL, WebAssembly, clearTimeout, console, crypto, performance, process, setTimeout };
const parsingContext = vm.createContext(globals);
const file = ${JSON.stringify(package_)};
const names = ['exports', 'require', 'module', '__filename', '__dirname'];
const made = { exports: {} };
vm.compileFunction(readFileSync(file, 'utf8'), names, { filename: file, parsingContext })(made.exports, createRequire(file), made, file, require('node:path').dirname(file));
const { Context, Flags, engine } = made.exports;
const flags = new Flags();
flags.publishSync('[{"name": "on", "enabled": true, "target_plans": ["PRO"]}]');
let on = 0;
for (let at = 0; at < 20_000; at++) on += flags.isEnabled('on', new Context('user-' + at, { plan: 'PRO' })) ? 1 : 0;
require('node:assert').deepEqual([engine, on], [process.env.ESCLUSA_ENGINE, 20_000]);
collect();
END`;

const ENDS = {
  'by itself': '',
  'by process.exit': 'process.exit(0);',
  'while something keeps it, by terminate': 'setInterval(() => undefined, 1_000); require("node:worker_threads").parentPort.postMessage("go on");',
};
for (const engine of ['native', 'wasm']) {
  for (const [how, end] of Object.entries(ENDS)) {
    test(`threads that end ${how} abort nothing: ${engine}`, () => {
      const program = `const { Worker } = require('node:worker_threads');
        (async () => {
          for (let round = 0; round < ${THREADS}; round++) {
            const worker = new Worker(${JSON.stringify(WORKER.replace('END', end))}, { eval: true });
            worker.on('message', () => worker.terminate());
            worker.on('error', (problem) => { console.error(problem); process.exit(3); });
            await new Promise((resolve) => worker.on('exit', resolve));
          }
          console.log('ended');
        })();`;
      const { signal, status, stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env: { ...process.env, ESCLUSA_ENGINE: engine } });
      assert.deepEqual([signal, status, stdout], [null, 0, 'ended\n'], stderr);
    });
  }
}

test('vitest with a pool of threads and contexts ends as it should', () => {
  const folder = fileURLToPath(new URL('../node_modules/.vitest-pool/', import.meta.url));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const body = (count) => `import { expect, test, vi } from 'vitest';
    test('contexts are made and left', async () => {
      for (let round = 0; round < ${count}; round++) {
        vi.resetModules();
        const { Context, Flags, engine } = await import('@esclusa/node');
        const flags = new Flags();
        await flags.publish('[{"name": "on", "enabled": true}]');
        let on = 0;
        for (let at = 0; at < 20_000; at++) on += flags.isEnabled('on', new Context('user-' + at)) ? 1 : 0;
        expect([engine, on]).toEqual(['native', 20_000]);
      }
    });`;
  writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {};\n');
  writeFileSync(join(folder, 'once.test.mjs'), body(1));
  writeFileSync(join(folder, 'again.test.mjs'), body(5));
  const vitest = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', '--root', folder, '--pool=vmThreads'], {
    encoding: 'utf8',
    env: { ...process.env, CI: 'true', ESCLUSA_ENGINE: 'native', NO_COLOR: '1' },
  });
  rmSync(folder, { recursive: true, force: true });
  assert.deepEqual([signal, status], [null, 0], stdout + stderr);
  assert.match(stdout, /2 passed/);
});
