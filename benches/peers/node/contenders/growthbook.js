// GrowthBook: one rule with a condition and a coverage.
import { GrowthBookClient } from '@growthbook/growthbook';

import { targets } from '../population.js';

export async function growthBook(population) {
  const { key, percentage } = population;
  const condition = Object.fromEntries(targets(population).map(([name, values]) => [name, { $in: values }]));
  const rule = { condition, force: true, coverage: percentage / 100, hashAttribute: 'id' };
  const client = new GrowthBookClient();
  client.initSync({ payload: { features: { [key]: { defaultValue: false, rules: [rule] } } } });
  const context = ([user, company, plan, role, region]) => ({ attributes: { id: user, company, plan, role, region } });
  return {
    context,
    ask: (context) => client.isOn(key, context),
    built: (caller) => client.isOn(key, context(caller)),
    close: () => client.destroy(),
  };
}
