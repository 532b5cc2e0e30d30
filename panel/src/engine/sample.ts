/** People made up from the values that flags name, where the server knows none: the same in every browser. */
import { listOf, type Row } from '../flag/row.ts';

const PEOPLE = 2_000;
/** Of many companies only some. */
const MAX_VALUES = 40;

export function sample(flags: Row[]): Row[] {
  const values = (field: string, other: string) => [...[...new Set(flags.flatMap((flag) => listOf(flag, field)))].sort().slice(0, MAX_VALUES), other];
  const [plans, roles, regions] = [values('target_plans', 'FREE'), values('target_roles', 'USER'), values('target_regions', 'XX')];
  const [companies, users] = [values('target_companies', 'company-1').concat('company-2', 'company-3'), values('target_users', '').filter((user) => user !== '')];
  // A linear congruential generator (Numerical Recipes): nothing here has to be unpredictable.
  let state = 365;
  const pick = (list: string[]): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return list[Math.floor((state / 2 ** 32) * list.length)] ?? '';
  };
  return Array.from({ length: PEOPLE }, (_, at) => ({
    user: users[at] ?? `person-${at + 1}`,
    company: pick(companies),
    plan: pick(plans),
    role: pick(roles),
    region: pick(regions),
  }));
}
