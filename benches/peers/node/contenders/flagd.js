// flagd in the process: JsonLogic with its `fractional`.
import { FlagdCore, MemoryStorage } from '@openfeature/flagd-core';

import { targets } from '../population.js';

const SILENT = { error() {}, warn() {}, info() {}, debug() {} };

export async function flagd(population) {
  const { key, percentage } = population;
  const within = targets(population).map(([name, values]) => ({ in: [{ var: name }, values] }));
  const bucket = { cat: [{ var: '$flagd.flagKey' }, { var: 'targetingKey' }] };
  const fractional = { fractional: [bucket, ['on', percentage], ['off', 100 - percentage]] };
  const flag = {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    targeting: { if: [{ and: within }, fractional, 'off'] },
  };
  const core = new FlagdCore(new MemoryStorage());
  core.setConfigurations(JSON.stringify({ flags: { [key]: flag } }));
  const context = ([user, company, plan, role, region]) => ({ targetingKey: user, company, plan, role, region });
  return {
    context,
    ask: (context) => core.resolveBooleanEvaluation(key, false, context, SILENT).value,
    built: (caller) => core.resolveBooleanEvaluation(key, false, context(caller), SILENT).value,
  };
}
