// One contender of the benchmark, alone in its process: one of several would find the loop compiled for another.
import { randomInt, randomUUID } from 'node:crypto';

import { HandWritten } from './by-hand.js';

const CONTEXTS = 10_000;
const ROUNDS = 200;
const KEY = 'w1';
const pick = (list) => list[randomInt(list.length)];

const ROW = { name: KEY, enabled: true, rollout_percentage: 10, target_plans: ['PREMIUM', 'ENTERPRISE'], target_roles: ['ADMIN', 'OWNER'], target_regions: ['CO', 'MX', 'AR'] };
const [PLANS, ROLES, REGIONS] = [[...ROW.target_plans, 'FREE', 'BASIC'], [...ROW.target_roles, 'USER', 'GUEST'], [...ROW.target_regions, 'US', 'ES']];

/** Distinct callers; with `mix` most of them fail one of the targets. */
function callers(mix) {
  const [plans, roles, regions] = mix ? [PLANS, ROLES, REGIONS] : [ROW.target_plans, ROW.target_roles, ROW.target_regions];
  return Array.from({ length: CONTEXTS }, () => ({ user: randomUUID(), company: randomUUID(), plan: pick(plans), roles: [pick(roles)], region: pick(regions) }));
}

const CONTENDERS = {
  async native(plain) {
    return prebuilt(await import('@esclusa/node'), plain);
  },
  async wasm(plain) {
    return prebuilt(await import('@esclusa/wasm/full'), plain);
  },
  async value(plain) {
    const { Context, Flags } = await import('@esclusa/node');
    const [flags, contexts] = [published(Flags), plain.map((caller) => Context.from(caller))];
    return [contexts, (context) => flags.value(KEY, context)];
  },
  async plain(plain) {
    const { Flags } = await import('@esclusa/node');
    const flags = published(Flags);
    return [plain, (caller) => flags.isEnabled(KEY, caller)];
  },
  async 'by-hand'(plain) {
    const engine = new HandWritten([ROW]);
    return [plain, (caller) => engine.isEnabled(KEY, caller)];
  },
  async 'flagd-core'(plain) {
    const { FlagdCore, MemoryStorage } = await import('@openfeature/flagd-core');
    const within = (name, values) => ({ in: [{ var: name }, values] });
    const fractional = { fractional: [{ cat: [{ var: '$flagd.flagKey' }, { var: 'targetingKey' }] }, ['on', 10], ['off', 90]] };
    const targets = { and: [within('plan', ROW.target_plans), within('role', ROW.target_roles), within('region', ROW.target_regions)] };
    const flag = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', targeting: { if: [targets, fractional, 'off'] } };
    const core = new FlagdCore(new MemoryStorage());
    core.setConfigurations(JSON.stringify({ flags: { [KEY]: flag } }));
    const logger = { error() {}, warn() {}, info() {}, debug() {} };
    const contexts = plain.map(({ user, company, plan, roles, region }) => ({ targetingKey: user, company, plan, role: roles[0], region }));
    return [contexts, (context) => core.resolveBooleanEvaluation(KEY, false, context, logger).value];
  },
};

function published(Flags) {
  const flags = new Flags();
  flags.publishSync(JSON.stringify([ROW]));
  return flags;
}

function prebuilt({ Context, Flags }, plain) {
  const [flags, contexts] = [published(Flags), plain.map((caller) => Context.from(caller))];
  return [contexts, (context) => flags.isEnabled(KEY, context)];
}

const [name, mix] = process.argv.slice(2);
const [contexts, isEnabled] = await CONTENDERS[name](callers(mix === 'mix'));
const times = [];
let on = 0;
for (let round = 0; round < ROUNDS; round++) {
  const begin = process.hrtime.bigint();
  for (let at = 0; at < CONTEXTS; at++) {
    on += isEnabled(contexts[at]) === true ? 1 : 0;
  }
  times.push(Number(process.hrtime.bigint() - begin) / CONTEXTS);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ best: times[0], median: times[ROUNDS / 2], share: on / ROUNDS / CONTEXTS }));
