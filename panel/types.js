/** Writes the types of the server's description, or with `--check` compares them. */
import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';

const FILE = new URL('./src/api/schema.ts', import.meta.url);
const HEAD = '/** Written by `npm run types` from server/openapi.json. */\n';

const written = HEAD + astToString(await openapi(new URL('../server/openapi.json', import.meta.url)));
if (process.argv.includes('--check')) {
  if ((await readFile(FILE, 'utf8').catch(() => '')) !== written) {
    console.error('src/api/schema.ts differs from server/openapi.json, expected what `npm run types` writes');
    process.exit(1);
  }
} else {
  await writeFile(FILE, written);
}
