// One process of an app in Node: prints each change of a flag as it sees it, kept fresh from Postgres.
//
// `node watch.mjs postgres://… FLAG`, in a folder where `@esclusa/node` and `pg` are installed, prints `on` or `off` and
// the milliseconds since 1970. `cargo xtask demo` runs it.
import { createRequire } from 'node:module';
import { join } from 'node:path';

// This script lies elsewhere than the packages.
const require = createRequire(join(process.cwd(), 'watch.mjs'));
const { Flags } = require('@esclusa/node');
const { postgres } = require('@esclusa/node/postgres');

const [url, key] = process.argv.slice(2);
const flags = Flags.fromSource(postgres(url));
const caller = { user: 'user-42', plan: 'PREMIUM', role: 'ADMIN', region: 'CO' };
let was;
setInterval(() => {
  const isOn = flags.isEnabled(key, caller);
  if (isOn !== was) {
    console.log(isOn ? 'on' : 'off', Date.now());
    was = isOn;
  }
}, 1);
