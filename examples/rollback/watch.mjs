// One process of an app in Node: prints each change of a flag as it sees it, kept fresh by the README's recipe for
// Postgres as it stands there.
//
// `node watch.mjs postgres://… FLAG`, in a folder where `@esclusa/node` and `pg` are installed, prints `on` or `off` and
// the milliseconds since 1970. `cargo xtask demo` runs it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [url, key] = process.argv.slice(2);
const readme = readFileSync(new URL('../../bindings/node/README.md', import.meta.url), 'utf8');
const recipe = /```js\n([\s\S]*?)```/.exec(readme.split('### Postgres\n')[1] ?? '')?.[1];
if (recipe === undefined) {
  throw new Error('the README has no recipe below `Postgres`');
}
// A module finds its packages from where it lies.
const file = join(process.cwd(), `recipe-${process.pid}.mjs`);
writeFileSync(file, recipe);
process.env.DATABASE_URL = url;
const { flags } = await import(pathToFileURL(file));
rmSync(file);

const caller = { user: 'user-42', plan: 'PREMIUM', role: 'ADMIN', region: 'CO' };
let was;
setInterval(() => {
  const isOn = flags.isEnabled(key, caller);
  if (isOn !== was) {
    console.log(isOn ? 'on' : 'off', Date.now());
    was = isOn;
  }
}, 1);
