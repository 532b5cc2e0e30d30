// What a provider adds to OpenFeature's own work: the same SDK round a provider that always gives the same.
import { OpenFeature as Server } from '@openfeature/server-sdk';
import { OpenFeature as Web } from '@openfeature/web-sdk';

import { Flags } from '@esclusa/node';
import { EsclusaProvider } from '@esclusa/node/openfeature';
import init, { Flags as WebFlags } from '@esclusa/wasm';
import { EsclusaWebProvider } from '@esclusa/wasm/openfeature';

const ROWS = JSON.stringify([{ name: 'on', enabled: true, target_plans: ['PREMIUM'] }]);
const CONTEXT = { targetingKey: 'user-42', company: 'acme', plan: 'PREMIUM', roles: ['ADMIN'], region: 'CO' };
const [ROUNDS, CALLS] = [40, 5000];
const answer = { value: true, reason: 'TARGETING_MATCH' };
const constant = (runsOn, resolve) => ({ metadata: { name: 'constant' }, runsOn, resolveBooleanEvaluation: resolve });

async function measure(name, sdk, provider, call) {
  await sdk.setProviderAndWait(provider);
  const client = sdk.getClient();
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.hrtime.bigint();
    for (let at = 0; at < CALLS; at++) {
      const got = call(client);
      if ((got instanceof Promise ? await got : got) !== true) {
        throw new Error(`${name} gives no answer`);
      }
    }
    best = Math.min(best, Number(process.hrtime.bigint() - begin) / CALLS);
  }
  return best;
}

await init();
const [flags, webFlags] = [new Flags(), new WebFlags()];
flags.publishSync(ROWS);
webFlags.publishSync(ROWS);
await Web.setContext(CONTEXT);
const server = (client) => client.getBooleanValue('on', false, CONTEXT);
const web = (client) => client.getBooleanValue('on', false);
for (let turn = 0; turn < 3; turn++) {
  for (const [name, sdk, base, own, call] of [
    ['server-sdk', Server, constant('server', async () => answer), new EsclusaProvider(flags), server],
    ['web-sdk', Web, constant('client', () => answer), new EsclusaWebProvider(webFlags), web],
  ]) {
    const [constantly, esclusa] = [await measure(name, sdk, base, call), await measure(name, sdk, own, call)];
    console.log(`${name}: constant ${constantly.toFixed(0)} ns, esclusa ${esclusa.toFixed(0)} ns, ${((esclusa / constantly - 1) * 100).toFixed(0)} % more`);
  }
}
