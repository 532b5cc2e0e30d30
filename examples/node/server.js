// Publishes the table of flags and listens. PORT chooses the port; without it the system does.
import { readFile } from 'node:fs/promises';

import { Flags } from '@esclusa/node';

import { app } from './app.js';

const flags = new Flags();
flags.onPublish(({ added, removed, changed }) => console.log(`published: ${added.length} added, ${removed.length} removed, ${changed.length} changed`));
await flags.publish(await readFile(new URL('../data/feature_flags.json', import.meta.url)));

const server = app(flags);
console.log(`listening on ${await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) })}`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close());
}
