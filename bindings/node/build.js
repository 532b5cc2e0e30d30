// Builds the package: the addon for this machine, the WebAssembly that stands in for it, one CommonJS file that both
// module systems use, so that there is one engine and one class of each kind in a process, and the types for both.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = `${here}../../`;
const wasm = `${here}../wasm/dist/full`;
const run = (program, ...given) => execFileSync(program, given, { cwd: here, stdio: 'inherit' });

const changed = (folder) => Math.max(...readdirSync(`${root}${folder}`, { recursive: true }).map((file) => statSync(`${root}${folder}/${file}`).mtimeMs));
const built = existsSync(`${wasm}/esclusa.wasm`) ? statSync(`${wasm}/esclusa.wasm`).mtimeMs : 0;
if (['core/src', 'formats/src', 'bindings/js/engine/src', 'bindings/js/src', 'bindings/wasm/src'].some((folder) => changed(folder) > built)) {
  run('npm', 'run', 'build', '--workspace', '@esclusa/wasm', '--prefix', root);
}
rmSync(`${here}dist`, { recursive: true, force: true });
mkdirSync(`${here}dist`);

// The benches want a function more than users have.
const features = process.env.ESCLUSA_ADDON_FEATURES ?? '';
run('cargo', 'build', '--quiet', '--package', 'esclusa-node', '--profile', 'addon', '--features', features);
const [library, platform] = {
  darwin: ['libesclusa_node.dylib', `darwin-${process.arch}`],
  linux: ['libesclusa_node.so', `linux-${process.arch}-${process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'}`],
  win32: ['esclusa_node.dll', `win32-${process.arch}-msvc`],
}[process.platform];
// A process that has the old one loaded keeps it: the new one is another file.
rmSync(`${here}esclusa.${platform}.node`, { force: true });
copyFileSync(`${process.env.CARGO_TARGET_DIR ?? `${root}target`}/addon/${library}`, `${here}esclusa.${platform}.node`);
const text = {
  name: 'the module as text',
  resolveId: (id) => (id === 'esclusa.wasm' ? id : null),
  load: (id) => (id === 'esclusa.wasm' ? `export default '${readFileSync(`${wasm}/esclusa.wasm`).toString('base64')}';` : null),
};

const bundles = [
  ['src/index.ts', 'dist/index.cjs', 'cjs'],
  ['src/wasm.ts', 'dist/wasm.cjs', 'cjs'],
  ['src/openfeature.ts', 'dist/openfeature.cjs', 'cjs'],
  ['src/openfeature.ts', 'dist/openfeature.js', 'esm'],
  ['src/postgres.ts', 'dist/postgres.cjs', 'cjs'],
  ['src/redis.ts', 'dist/redis.cjs', 'cjs'],
];
for (const [input, file, format] of bundles) {
  const bundle = await rolldown({
    input: `${here}${input}`,
    platform: 'node',
    external: [/^@openfeature\//, './wasm.cjs'],
    plugins: [text],
  });
  await bundle.write({ file: `${here}${file}`, format });
}
writeFileSync(
  `${here}dist/index.js`,
  `import esclusa from './index.cjs';
export const { Context, Failure, Flags, Mapping, MappingError, NOT_MODIFIED, SnapshotError, Sync } = esclusa;
export const { bundled, cached, engine, environment, file, http, layers, mapped, trackHandler } = esclusa;
`,
);

// A CommonJS file knows where it lies, and finds the app's driver from there.
for (const store of ['postgres', 'redis']) {
  writeFileSync(`${here}dist/${store}.js`, `import store from './${store}.cjs';\nexport const { ${store} } = store;\n`);
}

run(process.execPath, `${root}node_modules/typescript/bin/tsc`, '--project', 'tsconfig.json');
// The same declarations once more for those who write `require`.
cpSync(`${here}dist/types`, `${here}dist/types-cjs`, { recursive: true });
writeFileSync(`${here}dist/types-cjs/package.json`, '{ "type": "commonjs" }\n');
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
  copyFileSync(`${root}${licence}`, `${here}${licence}`);
}
