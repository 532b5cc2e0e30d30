// Files, cached copies, the environment of the process: what Node has besides.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'node:test';
import { Worker } from 'node:worker_threads';

import { Flags, Sync, bundled, cached, environment, file, http, layers } from '@esclusa/node';
import { Loopback, QUICK, document, skip, until } from '../../js/test/loopback.js';

const folderOf = (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 50 }));
  return folder;
};
const replace = (path, text) => {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};
/** So seldom asked that what comes was told. */
const TOLD = { ...QUICK, intervalMs: 600_000, staleAfterMs: 600_000 };

test('a file answers at once, and a change is published within a moment', async (t) => {
  const path = join(folderOf(t), 'flags.json');
  writeFileSync(path, document(1, { on: true }));
  utimesSync(path, 1e9, 1e9);
  const flags = Flags.fromFile(path, TOLD);
  assert.deepEqual([flags.isEnabled('on'), flags.status().source, await flags.available(0)], [true, path, true]);
  await until(() => flags.status().state === 'fresh');
  replace(path, document(2, { on: false }));
  await until(() => flags.revision === 2);
  writeFileSync(path, document(3, { on: true }));
  await until(() => flags.revision === 3);
  rmSync(path);
  flags.refresh();
  await until(() => flags.status().state === 'failing');
  assert.match(flags.status().lastError.error, /flags\.json`: ENOENT: no such file or directory$/);
  assert.equal(flags.isEnabled('on'), true);
  replace(path, document(4, { on: true }));
  await until(() => flags.revision === 4 && flags.status().state === 'fresh');
  flags.free();
});

test('what is half written is never published, and a file that is missing is waited for', async (t) => {
  const folder = join(folderOf(t), 'later');
  const path = join(folder, 'flags.json');
  const flags = Flags.fromFile(pathToFileURL(path), QUICK);
  const seen = new Set();
  flags.onPublish(() => seen.add(`${flags.isEnabled('a')} ${flags.isEnabled('b')}`));
  await until(() => flags.status().failures > 0);
  assert.equal(flags.isReady, false);
  mkdirSync(folder);
  for (let revision = 1; revision <= 20; revision += 1) {
    const text = document(revision, { a: revision % 2 === 0, b: revision % 2 === 0 });
    // A writer that takes its time, in place.
    writeFileSync(path, text.slice(0, 20 + revision));
    await new Promise((resolve) => setTimeout(resolve, 10 * (revision % 5)));
    writeFileSync(path, text);
  }
  await until(() => flags.revision === 20);
  assert.ok([...seen].every((one) => one === 'true true' || one === 'false false'), [...seen].join());
  flags.free();
});

test('a folder of Kubernetes, which changes where a link leads', async (t) => {
  const folder = folderOf(t);
  const put = (version, text) => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'flags.json'), text);
    symlinkSync(version, join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
  };
  put('v1', document(1, { on: true }));
  symlinkSync('..data/flags.json', join(folder, 'flags.json'));
  const flags = Flags.fromFile(join(folder, 'flags.json'), TOLD);
  await until(() => flags.revision === 1 && flags.status().state === 'fresh');
  put('v2', document(2, { on: false }));
  await until(() => flags.revision === 2);
  flags.free();
});

test('a cached copy answers while the store is away, and is replaced as a whole', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'copy.json');
  let answer = document(5, { on: true });
  const store = () => answer ?? Promise.reject(new Error('away'));
  const first = Flags.fromSource(cached(store, path), QUICK);
  await until(() => existsSync(path));
  assert.equal(readFileSync(path, 'utf8'), answer);
  answer = document(4, { on: false });
  await until(() => first.status().state === 'failing');
  assert.equal(readFileSync(path, 'utf8'), document(5, { on: true }), 'what is older is not saved');
  answer = '{';
  const before = first.status().failures;
  await until(() => first.status().failures > before + 1);
  assert.equal(readFileSync(path, 'utf8'), document(5, { on: true }), 'nor is what would be refused');
  first.free();
  answer = undefined;
  const second = Flags.fromSource(cached(store, path), QUICK);
  assert.deepEqual([second.isEnabled('on'), second.status().state, second.revision], [true, 'stale', 5]);
  await until(() => second.status().state === 'failing');
  answer = document(6, { on: true });
  await until(() => second.revision === 6 && second.status().state === 'fresh' && readFileSync(path, 'utf8') === answer);
  second.free();
  assert.deepEqual(readdirSync(folder), ['copy.json']);
});

test('a copy that is broken is said to be and not used; what lies in its way is said too', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'copy.json');
  writeFileSync(path, document(5, { on: true }).slice(0, 30));
  const warn = t.mock.method(console, 'warn', () => undefined);
  const said = (text) => warn.mock.calls.some(({ arguments: [line] }) => line.includes(text));
  const flags = Flags.fromSource(cached(bundled(document(1, { ground: true })), path), { ...QUICK, logger: null });
  assert.ok(flags.isEnabled('ground') && said('copy.json` cannot be used'));
  flags.free();
  const nowhere = Flags.fromSource(cached(() => document(2, { on: true }), join(folder, 'missing/copy.json')), QUICK);
  await until(() => nowhere.isEnabled('on') && said('cannot be written: ENOENT: no such file or directory'));
  await until(() => nowhere.status().state === 'fresh');
  nowhere.free();
});

test('a process that is killed while it writes a copy leaves the old one or the new one', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'copy.json');
  // Large enough that writing takes its time.
  const program = `
    import { Flags, cached } from '@esclusa/node';
    const many = Array.from({ length: 3000 }, (_, at) => ({ name: 'flag-' + at, enabled: true, description: 'x'.repeat(300) }));
    let revision = Number(process.argv[1]);
    const flags = Flags.fromSource(cached(() => JSON.stringify({ esclusa: 1, revision: revision++, flags: many }), ${JSON.stringify(path)}), { intervalMs: 1, jitter: 0, spreadMs: 0, logger: null });
    flags.onPublish(() => process.stdout.write('.'));
    setInterval(() => flags.refresh(), 1);`;
  let last = 1;
  for (let round = 0; round < 20; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, String(1 + round * 1_000_000)], { cwd: new URL('..', import.meta.url), stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    await until(() => existsSync(path));
    await new Promise((resolve) => setTimeout(resolve, (round * 7) % 40));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { revision, flags } = JSON.parse(readFileSync(path, 'utf8'));
    assert.ok(revision >= last && flags.length === 3000, `${revision} after ${last}`);
    last = revision;
  }
  const left = readdirSync(folder).filter((name) => name.endsWith('.tmp'));
  for (const name of left) utimesSync(join(folder, name), 1e9, 1e9);
  const flags = Flags.fromSource(cached(() => document(1e9, { on: true }), path), QUICK);
  await until(() => flags.isEnabled('on') && readdirSync(folder).length === 1);
  flags.free();
  t.diagnostic(`20 processes were killed, ${left.length} of them in the middle of writing`);
});

test('the environment of the process lies over a file, and both answer at once', async (t) => {
  const path = join(folderOf(t), 'flags.json');
  writeFileSync(path, document(1, { crm: true, qr: false }));
  utimesSync(path, 1e9, 1e9);
  process.env.FEATURE_CRM = 'false';
  t.after(() => delete process.env.FEATURE_CRM);
  const flags = Flags.fromSource(layers(environment(), file(path), bundled(document(9, { billing: true }))), QUICK);
  assert.deepEqual(['crm', 'qr', 'billing'].map((key) => flags.isEnabled(key, null, null)), [false, false, true]);
  assert.equal(flags.revision, 1);
  assert.equal(Flags.fromEnv().isEnabled('crm', null, true), false);
  replace(path, document(2, { crm: true, qr: true }));
  await until(() => flags.isEnabled('qr') && !flags.isEnabled('crm'));
  flags.free();
});

test('what keeps nothing fresh says so', () => {
  const flags = new Flags();
  for (const ask of [() => flags.status(), () => flags.refresh(), () => flags.ready()]) {
    assert.throws(ask, /nothing keeps the flags fresh, expected `sync` or one of the `from…` functions before/);
  }
  const own = flags.sync(() => '[]', QUICK);
  assert.ok(own instanceof Sync);
  own.close();
  class Own extends Flags {}
  const mine = Own.fromSource(() => '[]', QUICK);
  assert.ok(mine instanceof Own);
  mine.free();
});

const run = (program, ...given) =>
  execFileSync(process.execPath, ['--input-type=module', '--eval', `import { Flags, bundled, cached, http, layers } from '@esclusa/node';\n${program}`, ...given], { cwd: new URL('..', import.meta.url), encoding: 'utf8', timeout: 60_000 });

test('a process that keeps flags fresh ends by itself', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  await loopback.tell({ snapshot: document(1, { on: true }) });
  const path = join(folderOf(t), 'flags.json');
  writeFileSync(path, document(1, { on: true }));
  assert.equal(run(`const flags = Flags.fromFile(process.argv[1], { logger: null }); console.log(await flags.ready(60_000));`, path), 'true\n');
  const program = `const [url, events] = process.argv.slice(1);
    const flags = Flags.fromUrl(url, { events, intervalMs: 20, spreadMs: 1, logger: null });
    console.log(await flags.ready(60_000), flags.isEnabled('on'));`;
  assert.equal(run(`${program}\nwhile (flags.status().state !== 'fresh') await new Promise((resolve) => setTimeout(resolve, 5));`, loopback.url, loopback.events_url), 'true true\n');
  // And in the middle of asking: the store has taken the question and says nothing.
  await loopback.tell({ fault: { kind: 'silent' } });
  const began = performance.now();
  const silent = `const flags = Flags.fromUrl(process.argv[1], { timeoutMs: 120_000, logger: null });\nconsole.log(await flags.ready(200));`;
  assert.equal(run(silent, loopback.url), 'false\n');
  assert.ok(performance.now() - began < 60_000);
});

test('a worker keeps flags fresh by itself, and one that shares flags need not', { skip }, async (t) => {
  const loopback = await Loopback.start();
  t.after(() => loopback.end());
  await loopback.tell({ snapshot: document(1, { on: true }) });
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { Flags } = require('@esclusa/node');
    const flags = Flags.fromUrl(workerData, { intervalMs: 20, logger: null });
    flags.ready(60_000).then(() => parentPort.postMessage(flags.isEnabled('on')));`;
  const worker = new Worker(program, { eval: true, workerData: loopback.url });
  assert.deepEqual(await once(worker, 'message'), [true]);
  assert.deepEqual(await once(worker, 'exit'), [0], 'it ends by itself');
  const busy = new Worker(`${program}\nsetInterval(() => flags.refresh(), 1);`, { eval: true, workerData: loopback.url });
  await once(busy, 'message');
  await busy.terminate();
  const flags = Flags.fromSource(http(loopback.url), QUICK);
  await flags.ready(60_000);
  if (process.env.ESCLUSA_ENGINE !== 'wasm') {
    const shared = new Worker(`
      const { parentPort, workerData } = require('node:worker_threads');
      const flags = require('@esclusa/node').Flags.fromShared(workerData);
      parentPort.once('message', () => parentPort.postMessage([flags.revision, flags.isEnabled('on')]));`, { eval: true, workerData: flags.share() });
    await loopback.tell({ snapshot: document(2, { on: false }) });
    await until(() => flags.revision === 2);
    shared.postMessage('look');
    assert.deepEqual((await once(shared, 'message'))[0], [2, false]);
  }
  flags.free();
});
