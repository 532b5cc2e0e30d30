// Which engine runs, and that every user of the package gets the same one.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import * as esclusa from '@esclusa/node';

const here = fileURLToPath(new URL('..', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));
const ROWS = JSON.stringify([{ name: 'on', enabled: true, target_plans: ['PREMIUM'] }]);
const ASK = `
  const flags = new Flags();
  flags.publishSync(${JSON.stringify(ROWS)});
  console.log(engine, flags.isEnabled('on', new Context('u', { plan: 'PREMIUM' })), flags.isEnabled('on', { plan: 'FREE' }));
`;
const run = (folder, variables = {}) => {
  const { ESCLUSA_ENGINE: _, ...environment } = process.env;
  const program = `const { Context, Flags, engine } = require('@esclusa/node'); ${ASK}`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--eval', program], { cwd: folder, env: { ...environment, ...variables }, encoding: 'utf8' });
  return { said: stdout.trim(), warnings: stderr.trim(), status };
};

test('here the native engine runs, without a warning', () => {
  assert.equal(esclusa.engine, 'native');
  assert.deepEqual(run(here), { said: 'native true false', warnings: '', status: 0 });
});

test('ESCLUSA_ENGINE chooses', () => {
  assert.deepEqual(run(here, { ESCLUSA_ENGINE: 'wasm' }), { said: 'wasm true false', warnings: '', status: 0 });
  assert.deepEqual(run(here, { ESCLUSA_ENGINE: 'native' }), { said: 'native true false', warnings: '', status: 0 });
  const { status, warnings } = run(here, { ESCLUSA_ENGINE: 'fast' });
  assert.notEqual(status, 0);
  assert.match(warnings, /ESCLUSA_ENGINE is `fast`, expected `native` or `wasm`/);
});

test('without the addon everything runs in WebAssembly, and the package says so once', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'node_modules/@esclusa/node');
  mkdirSync(copy, { recursive: true });
  cpSync(join(here, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(here, 'package.json'), join(copy, 'package.json'));
  const { said, warnings, status } = run(folder);
  assert.deepEqual([said, status], ['wasm true false', 0]);
  assert.equal(warnings.match(/ESCLUSA_WASM/g).length, 1);
  assert.match(warnings, /EsclusaWarning: the native engine cannot be loaded, so flags are resolved in WebAssembly/);
  const inWorkers = `require('@esclusa/node');
    const { Worker } = require('node:worker_threads');
    for (let at = 0; at < 3; at++) new Worker('require("@esclusa/node")', { eval: true });`;
  const { ESCLUSA_ENGINE: _, ...environment } = process.env;
  const workers = spawnSync(process.execPath, ['--eval', inWorkers], { cwd: folder, env: environment, encoding: 'utf8' });
  assert.deepEqual([workers.stderr.match(/ESCLUSA_WASM/g).length, workers.status], [1, 0], 'its workers do not say it again');
  const forced = run(folder, { ESCLUSA_ENGINE: 'native' });
  assert.notEqual(forced.status, 0);
  assert.match(forced.warnings, /ESCLUSA_ENGINE asks for the native engine, which cannot be loaded/);

  const [addon] = readdirSync(here).filter((name) => name.endsWith('.node'));
  const platform = addon.slice('esclusa.'.length, -'.node'.length);
  const package_ = join(folder, `node_modules/@esclusa/node-${platform}`);
  mkdirSync(package_);
  cpSync(join(here, addon), join(package_, addon));
  writeFileSync(join(package_, 'package.json'), JSON.stringify({ name: `@esclusa/node-${platform}`, version: '0.1.0', main: addon }));
  assert.deepEqual(run(folder), { said: 'native true false', warnings: '', status: 0 }, 'from the package of the platform');
});

test('an addon that is no addon is as good as none', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'node_modules/@esclusa/node');
  mkdirSync(copy, { recursive: true });
  cpSync(join(here, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(here, 'package.json'), join(copy, 'package.json'));
  const [addon] = readdirSync(here).filter((name) => name.endsWith('.node'));
  writeFileSync(join(copy, addon), 'nothing');
  assert.equal(run(folder).said, 'wasm true false');
});

test('both module systems have the same classes', () => {
  const required = createRequire(import.meta.url)('@esclusa/node');
  assert.deepEqual(Object.keys(esclusa).sort(), Object.keys(required).sort());
  for (const name of Object.keys(esclusa)) {
    assert.equal(esclusa[name], required[name]);
  }
});

test('the module can be loaded again in one process, as test runners do', (t) => {
  const warned = t.mock.method(process, 'emitWarning', () => undefined);
  const require = createRequire(import.meta.url);
  const file = require.resolve('@esclusa/node');
  const first = require(file);
  for (const loaded of Object.keys(require.cache)) {
    if (loaded.startsWith(here)) {
      delete require.cache[loaded];
    }
  }
  const second = require(file);
  assert.notEqual(first.Flags, second.Flags);
  assert.deepEqual([first.engine, second.engine, warned.mock.callCount()], ['native', 'native', 0]);
  const flags = [first, second].map(({ Flags }, at) => {
    const flags = new Flags();
    flags.publishSync(JSON.stringify([{ name: 'on', enabled: at === 1 }]));
    return flags;
  });
  const context = [new first.Context('u'), new second.Context('u')];
  assert.deepEqual([flags[0].isEnabled('on', context[0]), flags[1].isEnabled('on', context[1])], [false, true]);
  assert.deepEqual([flags[0].value('on', context[0]), flags[1].value('on', context[1])], [false, true]);
  assert.equal(flags[1].isEnabled('on', context[0]), true, 'a Context of the other copy is a plain object here');
});

for (const [system, extension, typescript] of [['ESM', 'mts', "import { Context, Failure, Flags, NOT_MODIFIED, SnapshotError, bundled, environment, file, http, layers, Mapping, MappingError, mapped, cached, type Resolution, type Source, type Status, type Sync } from '@esclusa/node';\nimport { EsclusaProvider } from '@esclusa/node/openfeature';"], ['CommonJS', 'cts', "import esclusa = require('@esclusa/node');\nimport openfeature = require('@esclusa/node/openfeature');\nimport type { Resolution, Source, Status, Sync } from '@esclusa/node';\nconst { Context, Failure, Flags, NOT_MODIFIED, SnapshotError, bundled, environment, file, http, layers, Mapping, MappingError, mapped, cached } = esclusa;\nconst { EsclusaProvider } = openfeature;"]]) {
  test(`a project in strict TypeScript compiles and runs as ${system}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
    t.after(() => rmSync(folder, { recursive: true }));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(
      join(folder, `app.${extension}`),
      `${typescript}
const flags = new Flags();
const report = flags.publishSync(${JSON.stringify(ROWS)}, { strict: true });
const context = new Context('user-42', { company: 'acme', plan: 'PREMIUM', roles: ['ADMIN'], seats: 12 });
const on: boolean = flags.isEnabled('on', context);
const resolution: Resolution = flags.resolve('on', { user: 'u', plan: 'PREMIUM' }, new Date());
const layout: string | number | boolean | object | null = flags.value('layout', context, 'classic');
const shared: { number: number } = flags.share();
const provider = new EsclusaProvider(flags);
// @ts-expect-error a key is a string
flags.isEnabled(7);
// @ts-expect-error there is no such option
flags.publishSync('[]', { lenient: true });
try {
  flags.publishSync('{');
} catch (problem) {
  if (!(problem instanceof SnapshotError)) throw problem;
  const store: Source = {
    name: 'table',
    async fetch({ etag, signal }) {
      if (signal.aborted) throw new Failure('away', { retryAfterMs: 1000, instead: '[]' });
      return etag === 'e' ? NOT_MODIFIED : { bytes: new Uint8Array(2), etag: 'e' };
    },
    watch: (tell) => {
      const timer = setInterval(() => tell('changed'), 1000);
      return () => clearInterval(timer);
    },
  };
  const all = layers(environment(), cached(http(new URL('http://localhost/'), { headers: { 'x-key': 'k' }, token: 't' }), 'copy.json'), file('x.json'), store, bundled('[]'), async () => Buffer.from('[]'));
  const fresh = Flags.fromSource(() => '[]', { intervalMs: 1000, logger: null });
  const status: Status = fresh.status();
  const mapping = new Mapping({ esclusa_mapping: 1, name: 'slug', enabled: 'on' }, { environment: 'production' });
  const names: readonly string[] = mapping.with({ environment: 'staging' }).parameters;
  const reading = new Flags().publishSync([{ slug: 'a', on: 1 }], { mapping }).reading;
  const left: number | undefined = reading.rowsLeftOut[0]?.rows;
  const rows: Source = mapped(store, mapping, { environment: 'production' });
  const refused = (): string => new MappingError('', 'place', 'problem').place;
  console.assert(names.length === 0 && left === undefined && rows.name === 'table' && refused() === 'place');
  const own: Sync = new Flags().sync(all, { timeoutMs: 1000, logger: { warn: () => undefined, info: () => undefined } });
  own.close();
  fresh.free();
  const wrong = () => {
    // @ts-expect-error this is no news
    store.watch?.((news: 'other') => news);
    // @ts-expect-error no mapping is a number
    fresh.publishSync('[]', { mapping: 5 });
    // @ts-expect-error a parameter is a text
    mapped(store, 'flags.mapping.toml', { environment: 5 });
    // @ts-expect-error a source has a name
    fresh.sync({ fetch: () => '[]' });
  };
  console.assert(typeof wrong === 'function');
  if (status.lastError !== null) console.log(status.lastError.at.getTime(), status.state === 'fresh');
  console.log(on, resolution.reason, layout, report.added.length, shared.number > 0, problem.violations.length, provider.metadata.name);
}
{
  using scoped = new Context('u');
  flags.variant('on', scoped);
}
`,
    );
    const compilerOptions = { module: 'NodeNext', target: 'ES2022', strict: true, types: ['node'], skipLibCheck: false, exactOptionalPropertyTypes: true };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [`app.${extension}`] }));
    writeFileSync(join(folder, 'package.json'), '{}');
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd: folder, encoding: 'utf8' });
    assert.equal(tsc.stdout + tsc.stderr, '');
    const said = execFileSync(process.execPath, [`app.${extension.replace('ts', 'js')}`], { cwd: folder, encoding: 'utf8' });
    assert.equal(said, 'true TARGETING_MATCH classic 1 true 0 esclusa\n');
  });
}

test('the addon is at most 2 MB as it is downloaded', (t) => {
  const [addon] = readdirSync(here).filter((name) => name.endsWith('.node'));
  const bytes = Number(execFileSync('sh', ['-c', `gzip -9 -c ${addon} | wc -c`], { cwd: here, encoding: 'utf8' }));
  t.diagnostic(`addon: ${statSync(join(here, addon)).size} bytes, gzipped ${bytes}`);
  assert.ok(bytes <= 2_000_000);
});
