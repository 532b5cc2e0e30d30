// ConfigCat: a targeting rule with three conditions and percentage options.
import { PollingMode, User, createConsoleLogger, getClient } from '@configcat/sdk/node';

import { targets } from '../population.js';

/** Without hashing what is compared. */
const IS_ONE_OF = 0;
const SDK_KEY = '0000000000000000000000/0000000000000000000000';
const [BOOLEAN, SILENT] = [0, -1];

export async function configCat(population) {
  const { key, percentage } = population;
  const [on, off] = [{ b: true }, { b: false }];
  const conditions = targets(population).map(([a, l]) => ({ u: { a, c: IS_ONE_OF, l } }));
  const rule = { c: conditions, p: [{ p: percentage, v: on }, { p: 100 - percentage, v: off }] };
  const config = { p: { u: 'http://127.0.0.1:9', r: 0, s: 'c2FsdA==' }, f: { [key]: { t: BOOLEAN, v: off, r: [rule] } } };
  // A cache holds the time of the fetch, its entity tag and the document, a line each.
  const text = ['1795305600000', 'none', JSON.stringify(config)].join('\n');
  const cache = { get: () => text, set: () => {} };
  const client = getClient(SDK_KEY, PollingMode.ManualPoll, { cache, offline: true, logger: createConsoleLogger(SILENT) });
  await client.waitForReady();
  const context = ([user, company, plan, role, region]) =>
    new User(user, undefined, undefined, { company, plan, role, region });
  return {
    context,
    ask: (context) => client.snapshot().getValue(key, false, context),
    built: (caller) => client.snapshot().getValue(key, false, context(caller)),
    close: () => client.dispose(),
  };
}
