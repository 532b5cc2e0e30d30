// The least that a call into native code costs: a function of two arguments that looks at neither.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';

import { Unable } from '../workload.js';

const require = createRequire(import.meta.url);

/** It is in addons that were built with the feature `noop`, and no part of the package's face. */
export function noop({ key }) {
  const folder = new URL('../node_modules/@esclusa/node/', import.meta.url);
  const addon = readdirSync(folder).find((file) => file.endsWith('.node'));
  const call = addon === undefined ? undefined : require(new URL(addon, folder).pathname).noop;
  return {
    decides: false,
    context: (caller) => {
      if (call === undefined) {
        throw new Unable('the addon was built without the feature `noop`');
      }
      return caller;
    },
    ask: (caller) => call(key, caller),
    get built() {
      throw new Unable('it looks at no context');
    },
  };
}
