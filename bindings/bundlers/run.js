// The packages in the bundles and test runners that people use: each is built as its own first page says, and run.
//
//   node run.js FOLDER-OF-TARBALLS EMPTY-FOLDER
//
// The tools are installed here alone, outside the workspace's lock.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [tarballs, empty] = process.argv.slice(2).map((path) => resolve(path));
rmSync(empty, { recursive: true, force: true });
mkdirSync(empty, { recursive: true });
const write = (file, text) => {
  mkdirSync(join(empty, file, '..'), { recursive: true });
  writeFileSync(join(empty, file), text);
};
const run = (program, given, options = {}) =>
  execFileSync(program, given, { cwd: empty, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 280_000, ...options });

const TOOLS = ['esbuild@0.28', 'webpack@5', 'webpack-cli@6', 'jest@30', 'jest-environment-jsdom@30', 'next@16', 'react@19', 'react-dom@19'];
const packed = readdirSync(tarballs).filter((name) => /^esclusa-(node|wasm|react)(-linux-[a-z0-9-]+)?-\d.*\.tgz$/.test(name));
write('package.json', JSON.stringify({ private: true, type: 'commonjs' }));
run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packed.map((name) => join(tarballs, name)), ...TOOLS]);

const ROWS = `JSON.stringify([{ name: 'on', enabled: true, target_plans: ['PRO'] }])`;
const SERVER = (load) => `${load}
const flags = new Flags();
flags.publishSync(${ROWS});
console.log(flags.isEnabled('on', { user: 'ana', plan: 'PRO' }), flags.isEnabled('on', { user: 'eve' }));
`;
const EXPECTED = 'true false';
write('server.mjs', SERVER(`import { Flags } from '@esclusa/node';`));
write('server.cjs', SERVER(`const { Flags } = require('@esclusa/node');`));
write('page.mjs', `import init, { Flags } from '@esclusa/wasm/inline';
await init();
const flags = new Flags();
flags.publishSync(${ROWS});
console.log(flags.isEnabled('on', { user: 'ana', plan: 'PRO' }), flags.isEnabled('on', { user: 'eve' }));
`);
write('engine.test.js', `const { Flags } = require('@esclusa/wasm');
const fs = require('node:fs');
test('flags are published as text and as bytes of another realm', async () => {
  const flags = new Flags();
  await flags.publish(Buffer.from(${ROWS}));
  expect(flags.isEnabled('on', { user: 'ana', plan: 'PRO' })).toBe(true);
  fs.writeFileSync('rows.json', '[]');
  await flags.publish(fs.readFileSync('rows.json'));
  expect(flags.isEnabled('on', { user: 'ana', plan: 'PRO' })).toBe(false);
});
`);
// A server component, and routes at the edge with the small build and with the full one.
write('next/package.json', JSON.stringify({ private: true }));
write('next/next.config.mjs', `export default { serverExternalPackages: ['@esclusa/node'] };\n`);
write('next/app/layout.jsx', `export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html>; }\n`);
write('next/app/page.jsx', `import { Flags } from '@esclusa/node';
const flags = new Flags();
flags.publishSync(${ROWS});
export const dynamic = 'force-dynamic';
export default function Page() { return <p>{flags.isEnabled('on', { user: 'ana', plan: 'PRO' }) ? 'the gate is open' : 'closed'}</p>; }
`);
const EDGE = (package_, rows) => `import init, { Flags } from '${package_}';
export const runtime = 'edge';
export async function GET() {
  await init();
  const flags = new Flags();
  flags.publishSync(${rows});
  return new Response(flags.isEnabled('on', { user: 'ana', plan: 'PRO' }) + ' ' + flags.isEnabled('on', { user: 'eve' }));
}
`;
const RULE = `{ key: 'pro', when: { attribute: 'plan', op: 'in', values: ['PRO'] } }`;
write('next/app/small/route.js', EDGE('@esclusa/wasm', ROWS));
write('next/app/full/route.js', EDGE('@esclusa/wasm/full', `JSON.stringify([{ name: 'on', enabled: true, rules: [${RULE}] }])`));

const bundle = (format, platform, entry, more = []) => {
  const out = join(empty, `esbuild.${format}.${platform}.${format === 'esm' ? 'mjs' : 'cjs'}`);
  run('node_modules/.bin/esbuild', [entry, '--bundle', `--platform=${platform}`, `--format=${format}`, `--outfile=${out}`, '--log-level=error', ...more]);
  return run('node', [out]);
};
const webpack = (entry, more) => {
  write('webpack.config.cjs', `module.exports = { mode: 'production', target: 'node', entry: './${entry}', output: { path: __dirname + '/webpack', filename: 'out.cjs' }, ...${more} };`);
  run('node_modules/.bin/webpack', ['--config', 'webpack.config.cjs']);
  return run('node', ['webpack/out.cjs']);
};
const NEXT = { cwd: join(empty, 'next'), env: { ...process.env, CI: 'true', NEXT_TELEMETRY_DISABLED: '1' } };
/** What the built app of Next.js answers. */
const asked = async (path) => {
  const port = await freePort();
  const server = spawn(process.execPath, [join(empty, 'node_modules/next/dist/bin/next'), 'start', '-p', String(port)], { ...NEXT, stdio: 'ignore' });
  try {
    for (let tries = 0; tries < 600; tries++) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      if (response !== undefined) {
        return await response.text();
      }
      await sleep(100);
    }
    return 'nothing within a minute';
  } finally {
    server.kill();
  }
};
const freePort = () =>
  new Promise((found) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
const CASES = {
  'esbuild, a server as CommonJS': () => bundle('cjs', 'node', 'server.mjs'),
  'esbuild, a server as CommonJS that requires': () => bundle('cjs', 'node', 'server.cjs'),
  'esbuild, a server as a module, the package outside': () => bundle('esm', 'node', 'server.mjs', ['--external:@esclusa/node']),
  'esbuild, a page with the module inside': () => bundle('esm', 'browser', 'page.mjs'),
  'webpack, a server': () => webpack('server.mjs', '{}'),
  'webpack, a server, the package outside': () => webpack('server.cjs', `{ externals: { '@esclusa/node': 'commonjs @esclusa/node' } }`),
  'jest with jsdom': () => (run('node_modules/.bin/jest', ['--env=jsdom', '--rootDir=.', 'engine.test.js'], { env: { ...process.env, CI: 'true' } }), EXPECTED),
  'Next.js, built': () => (run('../node_modules/.bin/next', ['build'], NEXT), EXPECTED),
  'Next.js, a server component': () => asked('/').then((page) => (page.includes('the gate is open') ? EXPECTED : page)),
  'Next.js, the edge with the small build': () => asked('/small'),
  'Next.js, the edge with the full build': () => asked('/full'),
};
let [passed, failed] = [0, 0];
for (const [name, made] of Object.entries(CASES)) {
  try {
    const said = (await made()).trim();
    if (said !== EXPECTED) {
      throw new Error(`it printed ${said}, expected ${EXPECTED}`);
    }
    passed += 1;
  } catch (problem) {
    failed += 1;
    console.log(`FAILED ${name}: ${problem.message}\n${problem.stdout ?? ''}${problem.stderr ?? ''}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
