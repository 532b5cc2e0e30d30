// Flags with the types that `esclusa codegen typescript` writes, in a project in strict TypeScript.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const APP = `import { createServer, type IncomingMessage } from 'node:http';
import fastify, { type FastifyRequest } from 'fastify';
import { type AnyFlags, Context, Flags, type FlagSet, type GuardState, type TripStore, http, trackHandler } from '@esclusa/node';
import { EsclusaProvider } from '@esclusa/node/openfeature';
import { type AppFlags, flagKeys } from './generated.js';

const flags: Flags<AppFlags> = Flags.fromFile<AppFlags>('flags.json');
const context = Context.from({ user: 'user-42' });
const layout: 'grid' | 'list' = flags.value('checkout-layout', context, 'grid');
const limit: number | null = flags.value(flagKeys.LIMIT, context);
const theme: { dark: boolean; accent?: string; sizes?: number[] } | null = flags.value('theme', context);
const variant: 'high' | 'low' | null = flags.variant('limit', context);
const isOn: boolean = flags.isEnabled(flagKeys.CRM_ADVANCED, context, true);
const held: FlagSet<AppFlags> = flags.current();
held.value('ratio', context);
flags.project(context, ['limit', flagKeys.RATIO]);
new EsclusaProvider(flags);
// Code without the types of the app's flags takes them too.
const untyped: Flags = flags;
untyped.isEnabled('anything');
const any: Flags<AnyFlags> = new Flags();
const instance: InstanceType<typeof Flags> = flags;
instance.isEnabled('anything');

flags.track('checkout', context, { error: new Error('no'), durationMs: 812, value: 99.77, step: 'payment' });
const order: Promise<number> = flags.measure('checkout', context, async () => 7);
const count: number = flags.measure('checkout', null, () => 7);
const state: GuardState | undefined = flags.guards().flags[0]?.state;
const stop: () => void = flags.onTrack(({ event, fromBrowser }) => event.length > 3 && fromBrowser);
createServer(trackHandler(flags, (request: IncomingMessage) => ({ user: request.url ?? null })));
fastify().post('/v1/track', trackHandler(flags, async (request: FastifyRequest) => ({ user: request.ip })));
const response: Promise<Response> = trackHandler(flags, (request: Request) => (request.headers.has('cookie') ? context : null))(new Request('http://app'));
Flags.fromFile('flags.json', { guard: new URL('file:///trips.json') });
const store: TripStore = { name: 'own', propose: async ({ flag, run }) => (flag === 'crm' ? 'taken' : { over: run + 1 }) };
new Flags({ guard: true, propose: store });
Flags.fromFile('flags.json', { guard: true, propose: http('https://flags.example.com/v1/trips') });
const proposed: string | undefined = flags.guards().proposals[0]?.line;
// @ts-expect-error a store must have a name and propose
new Flags({ guard: true, propose: { trips: async () => [] } });
// @ts-expect-error a duration is a number
flags.track('checkout', context, { durationMs: '812' });
// @ts-expect-error a path, or whether
new Flags({ guard: 7 });
// @ts-expect-error the work is a function
flags.measure('checkout', context, 7);
export { count, order, proposed, response, state, stop };

// @ts-expect-error there is no such flag
flags.isEnabled('crm_advancd', context);
// @ts-expect-error there is no such flag
flags.resolve('limits', context);
// @ts-expect-error there is no such flag
flags.project(context, ['limits']);
// @ts-expect-error there is no such flag
held.variant('limits');
// @ts-expect-error there is no such constant
flags.isEnabled(flagKeys.CRM_ADVANCD, context);
// @ts-expect-error its value is a number
const text: string = flags.value('limit', context, 3);
// @ts-expect-error it serves no such text
const other: 'grid' | 'rows' = flags.value('checkout-layout', context, 'grid');
export { any, isOn, layout, limit, other, text, theme, variant };
`;

test('flags with generated types take their keys alone, and values have types', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
  t.after(() => rmSync(folder, { recursive: true }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'app.ts'), APP);
  // Without what tells @esclusa/react, which this app does not have.
  const generated = readFileSync(join(root, 'cli/tests/golden/files/generated/flags.ts'), 'utf8');
  writeFileSync(join(folder, 'generated.ts'), generated.split('\ndeclare module')[0]);
  const compilerOptions = { module: 'NodeNext', moduleResolution: 'NodeNext', target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable'], strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: ['node'], skipLibCheck: true };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd: folder, encoding: 'utf8' });
  assert.equal(tsc.stdout + tsc.stderr, '');
});
