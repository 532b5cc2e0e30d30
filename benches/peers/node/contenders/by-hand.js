// What somebody would write by hand in JavaScript, once as a condition and once as an engine: plan in a set, any role in a
// set, region in a set, and a rollout by user with a 64-bit hash. They do nothing else: no windows, no overrides, no
// rules, no reasons. It knows no host: the page in Chromium uses it too.
import { row } from '../population.js';
import { Unable } from '../workload.js';

/** cyrb53's mixing: a 64-bit state in two halves of 32, because a BigInt would be far slower. */
function hash32of64(text, seed) {
  let high = 0xdeadbeef ^ seed;
  let low = 0x41c6ce57 ^ seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return high >>> 0;
}

/** Reads rows once into sets, and looks flags up by key. */
class HandWritten {
  #flags = new Map();

  constructor(rows) {
    for (const row of rows) {
      this.#flags.set(row.name, {
        enabled: row.enabled,
        plans: new Set(row.target_plans),
        roles: new Set(row.target_roles),
        regions: new Set(row.target_regions),
        below: Math.round(row.rollout_percentage * 1000),
        salt: hash32of64(row.name, 0),
      });
    }
  }

  isEnabled(key, context) {
    const flag = this.#flags.get(key);
    if (flag === undefined || !flag.enabled || !flag.plans.has(context.plan) || !flag.regions.has(context.region)) {
      return false;
    }
    let hasRole = false;
    for (let at = 0; at < context.roles.length && !hasRole; at++) {
      hasRole = flag.roles.has(context.roles[at]);
    }
    if (!hasRole) {
      return false;
    }
    const bucket = Math.floor((hash32of64(context.user, flag.salt) / 0x1_0000_0000) * 100_000);
    return bucket < flag.below;
  }
}

export function engine(population) {
  const [engine, key] = [new HandWritten([row(population)]), population.key];
  const context = ([user, company, plan, role, region]) => ({ user, company, plan, roles: [role], region });
  return {
    context,
    ask: (context) => engine.isEnabled(key, context),
    built: (caller) => engine.isEnabled(key, context(caller)),
  };
}

export function condition({ key, percentage, ...population }) {
  const [plans, roles, regions] = ['plans', 'roles', 'regions'].map((name) => new Set(population[name]));
  const [salt, below] = [hash32of64(key, 0), percentage * 1000];
  const isOn = ({ user, plan, role, region }) =>
    plans.has(plan) &&
    roles.has(role) &&
    regions.has(region) &&
    Math.floor((hash32of64(user, salt) / 0x1_0000_0000) * 100_000) < below;
  const context = ([user, company, plan, role, region]) => ({ user, company, plan, role, region });
  return { context, ask: isOn, built: (caller) => isOn(context(caller)) };
}

/** A turn of the loop that all others are asked in. */
export function loop() {
  return {
    decides: false,
    context: (caller) => caller,
    ask: (caller) => caller === null,
    get built() {
      throw new Unable('there is no context to build');
    },
  };
}
