// Unleash: one gradual rollout with three constraints.
import { InMemStorageProvider, Unleash } from 'unleash-client';

import { targets } from '../population.js';

export async function unleash(population) {
  const { key, percentage } = population;
  const constraints = targets(population).map(([contextName, values]) => ({ contextName, operator: 'IN', values }));
  const parameters = { rollout: String(percentage), stickiness: 'userId', groupId: key };
  const strategy = { name: 'flexibleRollout', constraints, parameters };
  const client = new Unleash({
    appName: 'benchmark',
    url: 'http://127.0.0.1:9/api',
    refreshInterval: 0,
    disableMetrics: true,
    disableAutoStart: true,
    storageProvider: new InMemStorageProvider(),
    bootstrap: { data: [{ name: key, type: 'release', enabled: true, strategies: [strategy] }] },
  });
  await client.start();
  const context = ([userId, company, plan, role, region]) => ({ userId, properties: { company, plan, role, region } });
  return {
    context,
    ask: (context) => client.isEnabled(key, context),
    built: (caller) => client.isEnabled(key, context(caller)),
    close: () => client.destroy(),
  };
}
