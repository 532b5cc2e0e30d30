// Eppo: an allocation whose rule has three conditions, and a split with a shard for the percentage.
import { init } from '@eppo/node-server-sdk';

import { targets } from '../population.js';
import { served } from './served.js';

const SHARDS = 10_000;
const DAY_MS = 86_400_000;

export async function eppo(population) {
  const { key, percentage } = population;
  const conditions = targets(population).map(([attribute, value]) => ({ attribute, operator: 'ONE_OF', value }));
  const shards = [{ salt: key, ranges: [{ start: 0, end: (percentage * SHARDS) / 100 }] }];
  const allocation = { key: 'targets', rules: [{ conditions }], splits: [{ variationKey: 'on', shards }], doLog: false };
  const flag = {
    key,
    enabled: true,
    variationType: 'BOOLEAN',
    variations: { on: { key: 'on', value: true } },
    allocations: [allocation],
    totalShards: SHARDS,
  };
  const document = {
    createdAt: '2026-11-22T00:00:00Z',
    format: 'SERVER',
    environment: { name: 'benchmark' },
    flags: { [key]: flag },
  };
  const client = await served(document, (baseUrl) =>
    init({ apiKey: 'none', baseUrl, assignmentLogger: { logAssignment() {} }, pollingIntervalMs: DAY_MS }),
  );
  return {
    context: ([user, company, plan, role, region]) => ({ user, attributes: { company, plan, role, region } }),
    ask: ({ user, attributes }) => client.getBooleanAssignment(key, user, attributes, false),
    built: ([user, company, plan, role, region]) =>
      client.getBooleanAssignment(key, user, { company, plan, role, region }, false),
  };
}
