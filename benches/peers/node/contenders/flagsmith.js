// Flagsmith: a segment with three conditions and a percentage, which overrides a feature.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Flagsmith, LocalFileHandler } from 'flagsmith-nodejs';

import { targets } from '../population.js';

export async function flagsmith(population) {
  const { key, percentage } = population;
  const feature = { id: 1, name: key, type: 'STANDARD' };
  const state = (enabled) => ({ feature, enabled, django_id: 1, feature_state_value: null, featurestate_uuid: key });
  const conditions = [
    ...targets(population).map(([property_, values]) => ({ operator: 'IN', property_, value: values.join(',') })),
    { operator: 'PERCENTAGE_SPLIT', property_: null, value: String(percentage) },
  ];
  const segment = { id: 1, name: 'targets', rules: [{ type: 'ALL', rules: [], conditions }], feature_states: [state(true)] };
  const project = { id: 1, name: 'benchmark', organisation: { id: 1, name: 'none', feature_analytics: false, stop_serving_flags: false, persist_trait_data: false }, hide_disabled_flags: false, segments: [segment] };
  const folder = mkdtempSync(join(tmpdir(), 'flagsmith-'));
  const file = join(folder, 'environment.json');
  writeFileSync(file, JSON.stringify({ id: 1, api_key: 'none', name: 'benchmark', project, feature_states: [state(false)] }));
  const offlineHandler = new LocalFileHandler(file);
  rmSync(folder, { recursive: true });
  const client = new Flagsmith({ offlineMode: true, offlineHandler });
  return {
    waits: true,
    context: ([user, company, plan, role, region]) => ({ user, traits: { company, plan, role, region } }),
    ask: async ({ user, traits }) => (await client.getIdentityFlags(user, traits)).isFeatureEnabled(key),
    built: async ([user, company, plan, role, region]) =>
      (await client.getIdentityFlags(user, { company, plan, role, region })).isFeatureEnabled(key),
  };
}
