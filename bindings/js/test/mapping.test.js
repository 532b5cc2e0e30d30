// Tables with columns of their own, read by a mapping: in every full build of the engine.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';

import { host } from './hosts.js';

const { Flags, Mapping, MappingError, SnapshotError } = host;
const skip = Mapping === undefined ? 'this build leaves mappings out' : false;
const FOLDER = new URL('../../../spec/vectors/mapping/', import.meta.url);
const LAYERS = readdirSync(FOLDER).filter((file) => file.endsWith('.json')).sort().map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')));

const TOML = `
esclusa_mapping = 1
name = "slug"
enabled = "is_active"
rollout_percentage = { column = "share", of = 1 }
target_plans = { column = "plans", split = "," }
counts = [{ column = "env", is = ["all", "$environment"] }]
ignore = ["ticket"]
`;
const ROWS = [
  { slug: 'crm', is_active: 1, share: 1, plans: 'PRO, TEAM', env: 'all', ticket: 'A-1' },
  { slug: 'old', is_active: 1, share: 1, plans: null, env: 'staging', ticket: null },
];
const PRODUCTION = { environment: 'production' };
const [PRO, FREE] = ['PRO', 'FREE'].map((plan) => ({ user: 'ana', plan }));

for (const layer of LAYERS) {
  test(`${layer.layer}: ${layer.vectors.length} vectors`, { skip }, () => {
    for (const vector of layer.vectors) {
      check(vector);
    }
  });
}

test('there are vectors', () => assert.ok(LAYERS.flatMap(({ vectors }) => vectors).length > 60));

function check(vector) {
  const { name, refused } = vector;
  const flags = new Flags();
  let report;
  try {
    const mapping = new Mapping({ esclusa_mapping: 1, ...vector.mapping }, vector.parameters);
    report = flags.publishSync(JSON.stringify(vector.document ?? vector.rows), { mapping });
  } catch (problem) {
    assert.ok(problem instanceof SnapshotError, name);
    assert.equal(problem instanceof MappingError ? problem.place : problem.violations[0].place, refused, name);
    return;
  }
  assert.equal(refused, undefined, name);
  if (vector.left_out !== undefined) {
    assert.equal(report.reading.rowsLeftOut.reduce((sum, { rows }) => sum + rows, 0), vector.left_out, name);
  }
  if (vector.violations !== undefined) {
    assert.deepEqual(report.violations.map(({ place }) => place).sort(), [...vector.violations].sort(), name);
  }
  for (const { flag, context, enabled, value, error, now = '2025-06-15T12:00:00Z' } of vector.resolve ?? []) {
    const answer = flags.resolve(flag, context, new Date(now));
    assert.equal(answer.enabled, enabled, `${name}: ${flag}`);
    if (error !== undefined) {
      assert.equal(answer.errorCode, error, name);
    }
    if (value !== undefined && value !== null) {
      assert.deepEqual(answer.value, value, name);
    }
  }
  flags.free();
}

test('a mapping is an object or a text, and never changes', { skip }, async () => {
  const first = new Mapping(TOML, PRODUCTION);
  const plain = first.toJSON();
  const second = new Mapping(JSON.stringify(plain));
  for (const mapping of [first, new Mapping(plain, PRODUCTION), second.with(PRODUCTION)]) {
    const flags = new Flags();
    const report = await flags.publish(ROWS, { mapping, strict: true });
    assert.deepEqual(report.added, ['crm', 'old']);
    assert.equal(report.reading.mapping, 'mapping');
    assert.deepEqual(report.reading.rowsLeftOut, [{ why: 'env', rows: 1 }]);
    assert.deepEqual(report.reading.columns.filter(({ readAs }) => readAs === 'rollout_percentage').map(({ column }) => column), ['share']);
    assert.ok(flags.isEnabled('crm', PRO) && !flags.isEnabled('crm', FREE) && flags.has('old') && !flags.isEnabled('old', PRO));
    assert.ok(flags.current().isEnabled('crm', PRO));
    assert.deepEqual([mapping.toJSON(), mapping.parameters], [plain, ['environment']]);
  }
  plain.name = 'ticket';
  assert.equal(first.toJSON().name, 'slug');
  const flags = new Flags();
  flags.publishSync([{ slug: 'a', on: 1 }], { mapping: { esclusa_mapping: 1, name: 'slug', enabled: 'on' } });
  assert.ok(flags.isEnabled('a'));
  assert.equal(flags.publishSync('[{"name": "b", "enabled": true}]').reading.mapping, null);
  assert.ok(flags.isEnabled('b'));
});

test('tables of overrides come beside that of the flags', { skip }, () => {
  const side = [{ table: 'flag_users', flag: 'flag', as: 'user', id: 'user_id', enabled: 'is_on' }];
  const mapping = new Mapping({ esclusa_mapping: 1, name: 'slug', default: 'is_active', side });
  const tables = { flags: [{ slug: 'crm', is_active: false }], flag_users: [{ flag: 'crm', user_id: 7n, is_on: true }] };
  const flags = new Flags();
  flags.publishSync({ esclusa: 1, revision: 3, tables }, { mapping });
  assert.equal(flags.revision, 3);
  assert.ok(flags.isEnabled('crm', { user: 7 }) && !flags.isEnabled('crm', { user: 8 }));
});

test('what is wrong with a mapping is said at its place, and the last set stays', { skip }, async () => {
  const wrong = (given, ...more) => {
    try {
      new Mapping(given, ...more);
    } catch (problem) {
      return problem;
    }
    assert.fail('it is not refused');
  };
  const refused = wrong({ esclusa_mapping: 1, targets: 'x' });
  assert.ok(refused instanceof MappingError && refused instanceof SnapshotError);
  assert.deepEqual([refused.name, refused.code, refused.place, refused.violations], ['MappingError', 'invalid-mapping', 'targets', []]);
  assert.equal(refused.message, `mapping, \`targets\`: ${refused.problem}`);
  assert.equal(wrong('esclusa_mapping = 1\nname = \n').place, 'line 2');
  assert.match(wrong('{').message, /^mapping: /);
  assert.match(wrong(5).message, /the mapping is a number, expected an object/);
  assert.match(wrong([]).message, /the mapping is an Array/);
  assert.match(wrong(TOML, { environment: 5 }).message, /the parameter `environment` is a number, expected a string/);
  assert.match(wrong(TOML, { 'a b': 'x' }).message, /is no name of a parameter/);
  const mapping = new Mapping(TOML, PRODUCTION);
  const flags = new Flags();
  await flags.publish(ROWS, { mapping });
  const renamed = ROWS.map(({ plans, ...rest }) => ({ ...rest, plan_list: plans }));
  for (const [rows, given, place] of [[renamed, mapping, 'plans'], [ROWS, new Mapping(TOML), '$environment']]) {
    const at = (problem) => problem instanceof MappingError && problem.place === place;
    assert.throws(() => flags.publishSync(rows, { mapping: given }), at);
    await assert.rejects(flags.publish(rows, { mapping: given }), at);
  }
  await assert.rejects(flags.publish(ROWS, { mapping: 5 }), TypeError);
  assert.throws(() => flags.publishSync('{', { mapping }), (problem) => problem instanceof SnapshotError && !(problem instanceof MappingError));
  assert.ok(flags.isEnabled('crm', PRO) && !flags.isEnabled('crm', FREE));
});

test('a value that cannot be read is a violation at its column', { skip }, () => {
  const mapping = new Mapping(TOML, PRODUCTION);
  const broken = [{ ...ROWS[0], plans: { a: 1 } }, ROWS[1]];
  const flags = new Flags();
  const [violation] = flags.publishSync(broken, { mapping }).violations;
  assert.equal(violation.place, '/0/plans');
  assert.match(violation.problem, /\(flag `crm`\)$/);
  assert.ok(!flags.isEnabled('crm', PRO));
  assert.throws(() => flags.publishSync(broken, { mapping, strict: true }), (problem) => problem.violations[0].place === '/0/plans');
});
