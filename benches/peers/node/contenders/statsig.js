// Statsig: a gate with one rule of three conditions and a pass percentage.
import { Statsig, StatsigUser } from '@statsig/statsig-node-core';

import { targets } from '../population.js';

const GENERATED_AT_MS = 1_795_305_600_000;
const OPTIONS = { disableExposureLogging: true };

export async function statsig(population) {
  const { key, percentage } = population;
  const condition = ([field, targetValue]) => {
    const anyOf = { type: 'user_field', operator: 'any_case_sensitive', idType: 'userID', additionalValues: {} };
    return [field, { ...anyOf, field, targetValue }];
  };
  const conditions = Object.fromEntries(targets(population).map(condition));
  const rule = {
    id: 'targets',
    name: 'targets',
    salt: 'targets',
    idType: 'userID',
    conditions: Object.keys(conditions),
    passPercentage: percentage,
    returnValue: true,
  };
  const gate = {
    type: 'feature_gate',
    entity: 'feature_gate',
    salt: key,
    idType: 'userID',
    enabled: true,
    defaultValue: false,
    rules: [rule],
  };
  const document = {
    has_updates: true,
    time: GENERATED_AT_MS,
    feature_gates: { [key]: gate },
    dynamic_configs: {},
    layer_configs: {},
    condition_map: conditions,
    experiment_to_layer: {},
  };
  const client = new Statsig('secret-none', {
    dataStore: {
      initialize: async () => {},
      shutdown: async () => {},
      get: async () => ({ result: JSON.stringify(document), time: GENERATED_AT_MS }),
      set: async () => {},
      supportPollingUpdatesFor: async () => false,
    },
    disableNetwork: true,
    disableAllLogging: true,
    disableCountryLookup: true,
    enableIdLists: false,
    outputLogLevel: 'none',
  });
  await client.initialize();
  const context = ([userID, company, plan, role, region]) =>
    new StatsigUser({ userID, custom: { company, plan, role, region } });
  return {
    context,
    ask: (context) => client.checkGate(context, key, OPTIONS),
    built: (caller) => client.checkGate(context(caller), key, OPTIONS),
    close: () => client.shutdown(),
  };
}
