// Flipt: a rule over one segment of three constraints, whose distribution is the percentage. Its boolean flags know
// segments and percentages but not both in one rollout, so this is a flag with two variants.
import { FliptClient } from '@flipt-io/flipt-client-js/node';

import { targets } from '../population.js';

const DAY_S = 86_400;

export async function flipt(population) {
  const { key, percentage } = population;
  const constraints = targets(population).map(([property, values]) => ({
    id: property,
    type: 'STRING_CONSTRAINT_COMPARISON_TYPE',
    property,
    operator: 'isoneof',
    value: JSON.stringify(values),
  }));
  const share = (variant, rollout) => ({
    id: variant,
    ruleId: 'targets',
    variantId: variant,
    variantKey: variant,
    variantAttachment: '',
    rollout,
  });
  const rule = {
    id: 'targets',
    rank: 1,
    segmentOperator: 'AND_SEGMENT_OPERATOR',
    segments: [{ key: 'targets', matchType: 'ALL_SEGMENT_MATCH_TYPE', constraints }],
    distributions: [share('on', percentage), share('off', 100 - percentage)],
  };
  const flag = { key, name: key, type: 'VARIANT_FLAG_TYPE', description: '', enabled: true, rules: [rule], rollouts: [] };
  const document = JSON.stringify({ namespace: { key: 'default' }, flags: [flag] });
  const fetcher = async () => new Response(document, { headers: { 'content-type': 'application/json' } });
  const client = await FliptClient.init({ namespace: 'default', fetcher, updateInterval: DAY_S });
  const context = ([user, company, plan, role, region]) => ({
    flagKey: key,
    entityId: user,
    context: { company, plan, role, region },
  });
  return {
    context,
    ask: (request) => client.evaluateVariant(request).variantKey === 'on',
    built: (caller) => client.evaluateVariant(context(caller)).variantKey === 'on',
    close: () => client.close?.(),
  };
}
