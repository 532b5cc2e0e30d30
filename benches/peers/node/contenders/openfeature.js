// What Esclusa's provider adds to the work of OpenFeature's server SDK: the same SDK around a provider that decides
// nothing.
import { OpenFeature } from '@openfeature/server-sdk';

import { row } from '../population.js';
import { Unable } from '../workload.js';

async function asked(provider, { key }) {
  await OpenFeature.setProviderAndWait(provider);
  const client = OpenFeature.getClient();
  const context = ([user, company, plan, role, region]) => ({ targetingKey: user, company, plan, role, region });
  return {
    waits: true,
    context,
    ask: (context) => client.getBooleanValue(key, false, context),
    built: (caller) => client.getBooleanValue(key, false, context(caller)),
    close: () => OpenFeature.close(),
  };
}

export async function esclusa(population) {
  process.env.ESCLUSA_ENGINE = 'native';
  const { Flags } = await import('@esclusa/node');
  const { EsclusaProvider } = await import('@esclusa/node/openfeature');
  const flags = new Flags();
  flags.publishSync(JSON.stringify([row(population)]));
  return asked(new EsclusaProvider(flags), population);
}

/** An app asks several questions about one caller within a request, and the provider remembers the last one. */
export async function oneCaller(population) {
  const asked = await esclusa(population);
  const caller = asked.context(population.match[0]);
  return {
    ...asked,
    decides: false,
    context: () => caller,
    built: () => {
      throw new Unable('its context is there already');
    },
  };
}

export async function constant(population) {
  const answer = { value: true, reason: 'TARGETING_MATCH' };
  const provider = { metadata: { name: 'constant' }, runsOn: 'server', resolveBooleanEvaluation: async () => answer };
  return { ...(await asked(provider, population)), decides: false };
}
