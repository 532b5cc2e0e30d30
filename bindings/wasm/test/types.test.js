// A browser project in strict TypeScript, without the types of Node.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

for (const [moduleResolution, module] of [['Bundler', 'ESNext'], ['NodeNext', 'NodeNext']]) {
  test(`a browser project in strict TypeScript compiles with module resolution ${moduleResolution}`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
    t.after(() => rmSync(folder, { recursive: true }));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(
      join(folder, 'app.mts'),
      `import init, { Context, Flags, SnapshotError, initSync, type Projection, type Report } from '@esclusa/wasm';
import initFull, { Flags as FullFlags } from '@esclusa/wasm/full';
import { EsclusaWebProvider } from '@esclusa/wasm/openfeature';
import initSmall, { Flags as Kept, http, sync, type Status, type Sync } from '@esclusa/wasm/sync';
import { environment, layers } from '@esclusa/wasm/full';

interface Session {
  user: string;
  plan: 'FREE' | 'PREMIUM';
}
interface Order {
  total: number;
}
interface Wrong {
  user: boolean;
}

export function ask(flags: Flags, session: Session, order: Order, wrong: Wrong): boolean {
  // @ts-expect-error a user is no boolean
  flags.isEnabled('layout', wrong);
  // @ts-expect-error a list is no context
  flags.isEnabled('layout', ['user-42']);
  return flags.isEnabled('layout', session) && flags.isEnabled('layout', order) && flags.isEnabled('layout', Context.from(session));
}

export async function keep(): Promise<Status> {
  await initSmall();
  const flags = new Kept();
  const syncing: Sync = sync(flags, http('/flags.json', { events: '/events' }), { intervalMs: 60_000 });
  await syncing.ready(1_000);
  syncing[Symbol.dispose]();
  sync(new FullFlags(), layers(environment({ FEATURE_X: '1' }), async () => fetch('/flags.json').then((answer) => answer.arrayBuffer())), { logger: null });
  // @ts-expect-error there is no such option
  sync(flags, () => '[]', { interval: 1 });
  // @ts-expect-error a number is no snapshot
  sync(flags, () => 7);
  return syncing.status();
}

export async function start(module: WebAssembly.Module): Promise<Projection> {
  await init();
  await init(fetch('/esclusa.wasm'));
  await initFull(module);
  initSync(new Uint8Array(8));
  const flags = new Flags();
  const report: Report = await flags.publish('[]', { strict: true });
  flags.onPublish(({ changed }) => changed.map((key) => key.length))();
  const context = Context.from({ user: 'u', roles: ['ADMIN'], seats: 12 });
  const layout: string | null = flags.variant('layout', context);
  new EsclusaWebProvider(new FullFlags());
  // @ts-expect-error a context is no text
  flags.isEnabled('layout', 'user-42');
  // @ts-expect-error what the engine is asked is no part of the face
  Context.numberOf(context);
  if (layout === null) throw new SnapshotError(report.outcome, flags.violations);
  return flags.project(context, ['layout'], Date.now());
}
`,
    );
    const compilerOptions = { module, moduleResolution, target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable', 'DOM', 'DOM.Iterable'], strict: true, types: [], noEmit: true, skipLibCheck: false };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.mts'] }));
    writeFileSync(join(folder, 'package.json'), '{}');
    const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd: folder, encoding: 'utf8' });
    assert.equal(tsc.stdout + tsc.stderr, '');
  });
}
