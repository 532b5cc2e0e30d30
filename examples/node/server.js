// Keeps the flags fresh from a file and listens. PORT chooses the port; without it the system does.
import { Flags, file } from '@esclusa/node';

import { app } from './app.js';

const table = process.env.FLAGS_FILE ?? new URL('../data/feature_flags.json', import.meta.url);
const flags = new Flags({ guard: true });
flags.onPublish(({ added, removed, changed }) => console.log(`published: ${added.length} added, ${removed.length} removed, ${changed.length} changed`));
// What the file holds is published at once, and every change of it within a moment.
flags.sync(file(table));

const server = app(flags);
console.log(`listening on ${await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) })}`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close());
}
