// The page for trouble-shooting quotes what the engine says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { Flags } from '@esclusa/node';

const PAGE = readFileSync(new URL('../../../docs/WHY-IS-IT-OFF.md', import.meta.url), 'utf8');
const NOW = new Date('2026-11-29');

/** What `explain` gives as the first reason for a flag `crm` with these fields. */
function firstReason(fields, context = { user: 'ana' }) {
  const flags = new Flags();
  flags.publishSync([{ name: 'crm', enabled: true, ...fields }]);
  return flags.explain('crm', context, NOW).text.split('\n', 1)[0].replace(/^.*? is OFF for .*?: /, '');
}

const CASES = {
  'a switch': [{ enabled: false }],
  'a status': [{ status: 'paused' }],
  'a mistake': [{ rollout_percentage: 150 }],
  'an unknown restriction': [{ allowed_roles: ['ADMIN'] }],
  'no user': [{ rollout_percentage: 10 }, { plan: 'FREE' }],
  'a bucket': [{ rollout_percentage: 10 }],
  'no company': [{ target_companies: ['acme'] }, { user: 'ana', companyId: 'acme', tenant: 'acme', org: 'acme' }],
  'an object as company': [{ target_companies: ['acme'] }, { user: 'ana', company: { id: 'acme' } }],
  'a start': [{ start_date: '2026-12-01T00:00:00' }],
};

for (const [what, [fields, context]] of Object.entries(CASES)) {
  test(`why is it off: ${what}`, () => {
    const reason = firstReason(fields, context);
    assert.ok(PAGE.includes(reason), `the page does not have: ${reason}`);
  });
}

test('why is it off: what a publish reports', () => {
  const flags = new Flags();
  assert.ok(PAGE.includes(flags.explain('crm').text.match(/is OFF: (.*)/)[1]));
  const { violations } = flags.publishSync([{ name: 'crm', enabled: true, rollout_percentage: 150 }]);
  assert.ok(PAGE.includes(`\`${violations[0].place}\`: ${violations[0].problem}`));
  const { reading } = flags.publishSync([{ name: 'crm', end_date: '2026-11-28' }]);
  for (const code of ['no-switch', 'date-only-end']) {
    assert.ok(reading.notices.some((notice) => notice.code === code) && PAGE.includes(`\`${code}\``), code);
  }
  const twins = flags.publishSync([{ name: 'crm', enabled: true }, { name: 'crm', enabled: true, target_plans: ['FREE'] }]);
  assert.deepEqual(twins.setAside.map(({ key }) => key), ['crm']);
  assert.ok(PAGE.includes(flags.explain('cmr').text.match(/: (there is no flag .*)/)[1]));
});
