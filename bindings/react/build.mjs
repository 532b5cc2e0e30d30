// Builds the package: ES modules in dist/, CommonJS beside them in dist/cjs/, and the types of both.
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const tsc = join(dirname(manifest), 'bin/tsc');

rmSync(join(folder, 'dist'), { recursive: true, force: true });
for (const project of ['tsconfig.build.json', 'tsconfig.cjs.json']) {
  execFileSync(process.execPath, [tsc, '--project', join(folder, project)], { stdio: 'inherit' });
}
writeFileSync(join(folder, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n');
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) {
  copyFileSync(join(folder, '../..', licence), join(folder, licence));
}
