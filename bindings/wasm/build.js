// Builds the package: the WebAssembly modules, one JavaScript file for each, their inlined forms, and the types.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = (program, ...given) => execFileSync(program, given, { cwd: here, stdio: 'inherit' });

/**
 * For the edge runtime of Next.js and Vercel, which compiles no bytes and whose bundlers give a compiled module for
 * `?module`. A file's own folder is asked, because a package's exports have no names with a query.
 */
const EDGE = loaded("import module from './esclusa.wasm?module';\n", 'module');

/** The window that jest makes of jsdom lacks them. */
const WITHOUT_ENCODERS = ['TextEncoder', 'TextDecoder'].map((name) => `var ${name} = globalThis.${name} ?? require('node:util').${name};`).join('\n');

run('cargo', 'run', '--quiet', '--package', 'esclusa-xtask-wasm');

for (const [folder, entry] of [['dist', 'index'], ['dist/sync', 'sync'], ['dist/full', 'full']]) {
  const bundle = await rolldown({
    input: `${here}src/${entry}.ts`,
  });
  await bundle.write({ file: `${here}${folder}/index.js`, format: 'esm' });
  writeFileSync(`${here}${folder}/edge.js`, EDGE);
  writeFileSync(`${here}${folder}/node.js`, inlined(`${here}${folder}/esclusa.wasm`));
  // For `require`, which jest uses unless it is told otherwise.
  const common = await rolldown({ input: `${here}${folder}/node.js`, platform: 'node' });
  await common.write({ file: `${here}${folder}/node.cjs`, format: 'cjs', exports: 'named', banner: WITHOUT_ENCODERS });
}

const providers = await rolldown({ input: `${here}src/openfeature.ts`, external: /^@openfeature\// });
await providers.write({ file: `${here}dist/openfeature.js`, format: 'esm' });
await providers.write({ file: `${here}dist/openfeature.cjs`, format: 'cjs' });

const track = await rolldown({ input: `${here}src/track.ts` });
await track.write({ file: `${here}dist/track.js`, format: 'esm' });
await track.write({ file: `${here}dist/track.cjs`, format: 'cjs' });

rmSync(`${here}dist/types`, { recursive: true, force: true });
run(process.execPath, `${here}../../node_modules/typescript/bin/tsc`, '--project', 'tsconfig.json');
// The same declarations once more for those who write `require`.
rmSync(`${here}dist/types-cjs`, { recursive: true, force: true });
cpSync(`${here}dist/types`, `${here}dist/types-cjs`, { recursive: true });
writeFileSync(`${here}dist/types-cjs/package.json`, '{ "type": "commonjs" }\n');
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
  copyFileSync(`${here}../../${licence}`, `${here}${licence}`);
}

/**
 * The module inside JavaScript, for Node and whatever renders on a server: there is no fetch of a file there, and
 * where the file lies is not known once a bundler has been at work.
 */
function inlined(wasm) {
  const base64 = readFileSync(wasm).toString('base64');
  return loaded('', `Uint8Array.from(atob('${base64}'), (character) => character.charCodeAt(0))`);
}

/** The package with its module at hand. */
function loaded(imports, module) {
  return `${imports}import { initSync } from './index.js';
export * from './index.js';
/** The module is loaded already. */
export default async function init() {}
initSync(${module});
`;
}
