// Whom every contender is asked about: the callers and the targets that `population.json` names.

/**
 * @typedef {[user: string, company: string, plan: string, role: string, region: string]} Caller
 * @typedef {{ key: string, plans: string[], roles: string[], regions: string[], percentage: number,
 *   match: Caller[], mix: Caller[] }} Population
 */

/**
 * What must be one of what, by the name of the attribute.
 *
 * @param {Population} population
 * @returns {[attribute: string, values: string[]][]}
 */
export function targets({ plans, roles, regions }) {
  return [
    ['plan', plans],
    ['role', roles],
    ['region', regions],
  ];
}

/**
 * The flag as Esclusa and the engine by hand take it: a row of a table.
 *
 * @param {Population} population
 */
export function row({ key, plans, roles, regions, percentage }) {
  const targets = { target_plans: plans, target_roles: roles, target_regions: regions };
  return { name: key, enabled: true, rollout_percentage: percentage, ...targets };
}

/**
 * The share of a crowd that is to be let in.
 *
 * @param {Population} population
 * @param {'match' | 'mix'} crowd
 */
export function expected(population, crowd) {
  const wanted = targets(population).map(([, values]) => values);
  const fit = population[crowd].filter(([, , ...said]) => said.every((value, at) => wanted[at].includes(value)));
  return (fit.length / population[crowd].length) * (population.percentage / 100);
}
