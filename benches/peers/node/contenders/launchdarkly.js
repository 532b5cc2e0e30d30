// LaunchDarkly: one rule with three clauses and a rollout in it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { basicLogger, init } from '@launchdarkly/node-server-sdk';
import { FileDataSourceFactory } from '@launchdarkly/node-server-sdk/integrations';

import { targets } from '../population.js';

export async function launchDarkly(population) {
  const { key, percentage } = population;
  const weight = percentage * 1000;
  const variations = [
    { variation: 0, weight },
    { variation: 1, weight: 100_000 - weight },
  ];
  const clause = ([attribute, values]) => ({ contextKind: 'user', attribute, op: 'in', values, negate: false });
  const flag = {
    key,
    version: 1,
    on: true,
    salt: key,
    variations: [true, false],
    offVariation: 1,
    fallthrough: { variation: 1 },
    rules: [{ id: 'targets', clauses: targets(population).map(clause), rollout: { contextKind: 'user', bucketBy: 'key', variations } }],
  };
  const folder = mkdtempSync(join(tmpdir(), 'launchdarkly-'));
  const file = join(folder, 'flags.json');
  writeFileSync(file, JSON.stringify({ flags: { [key]: flag } }));
  const client = init('none', {
    updateProcessor: new FileDataSourceFactory({ paths: [file] }).getFactory(),
    sendEvents: false,
    diagnosticOptOut: true,
    logger: basicLogger({ level: 'none' }),
  });
  await client.waitForInitialization({ timeout: 10 });
  rmSync(folder, { recursive: true });
  const context = ([user, company, plan, role, region]) => ({ kind: 'user', key: user, company, plan, role, region });
  return {
    waits: true,
    context,
    ask: (context) => client.boolVariation(key, context, false),
    built: (caller) => client.boolVariation(key, context(caller), false),
    close: () => client.close(),
  };
}
