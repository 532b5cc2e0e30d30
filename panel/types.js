/** Writes the types of the server's description. */
import { writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';

const description = new URL('../server/openapi.json', import.meta.url);
const types = astToString(await openapi(description));
await writeFile(new URL('./src/api/schema.ts', import.meta.url), `/** Written by \`npm run types\` from server/openapi.json. */\n${types}`);
