// The same for OpenFeature's web SDK, which is given one caller and then asked for keys alone.
import init, { Flags } from '@esclusa/wasm';
import { EsclusaWebProvider } from '@esclusa/wasm/openfeature';
import { OpenFeature } from '@openfeature/web-sdk';

import { row } from '../population.js';
import { Unable } from '../workload.js';

async function asked(provider, { key, match: [[targetingKey, company, plan, role, region]] }) {
  await OpenFeature.setContext({ targetingKey, company, plan, role, region });
  await OpenFeature.setProviderAndWait(provider);
  const client = OpenFeature.getClient();
  return {
    decides: false,
    context: (caller) => caller,
    ask: () => client.getBooleanValue(key, false),
    get built() {
      throw new Unable('the SDK is given its context before it is asked');
    },
    close: () => OpenFeature.close(),
  };
}

export async function esclusa(population) {
  await init();
  const flags = new Flags();
  flags.publishSync(JSON.stringify([row(population)]));
  return asked(new EsclusaWebProvider(flags), population);
}

export async function constant(population) {
  const answer = { value: true, reason: 'TARGETING_MATCH' };
  const provider = { metadata: { name: 'constant' }, runsOn: 'client', resolveBooleanEvaluation: () => answer };
  return asked(provider, population);
}
