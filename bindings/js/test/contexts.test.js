// Sentences 12.4 to 12.6 of SEMANTICS.md: what is a context, what becomes of its values, and that it is a copy.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';

import { ON, flagsOf, forUser, none } from './given.js';
import { build, host } from './hosts.js';

const { Context } = host;

const rule = (name, when) => ({ name, enabled: true, rules: [{ key: 'r', when }] });
/** The small build sets flags with rules aside, which the vectors check. */
const testRules = build.rules ? test : () => undefined;

test('`__proto__` is a key and an attribute like any other', () => {
  const flags = flagsOf({ name: '__proto__', enabled: true }, { name: 'attribute', enabled: true, bucket_by: '__proto__', rollout_percentage: 99.999 });
  assert.deepEqual(flags.resolve('__proto__'), ON);
  assert.equal(flags.isEnabled('__proto__', new Context('u')), true);
  assert.deepEqual(Object.keys(flags.resolveAll()), ['__proto__', 'attribute']);
  assert.equal(Object.getPrototypeOf(flags.resolveAll()), Object.prototype);
  assert.deepEqual(Object.getOwnPropertyDescriptor(flags.project({}), '__proto__').value, { enabled: true, value: true });
  const plain = JSON.parse('{"__proto__": "x"}');
  assert.equal(flags.isEnabled('attribute', plain), true);
  assert.equal(flags.isEnabled('attribute', new Context('u', plain)), true);
});

const cyclic = () => {
  const context = { user: 'u' };
  context.self = { context };
  return context;
};
const deep = (levels) => Array.from({ length: levels }).reduce((inner) => ({ inner }), 'x');
const WRONG = {
  'a string': 'user-42',
  'an empty string': '',
  'a number': 42,
  'not a number': Number.NaN,
  'a boolean': false,
  'a bigint': 7n,
  'a symbol': Symbol('user'),
  'a function': () => ({ user: 'u' }),
  'a list': [],
  'a list of pairs': [['user', 'u']],
  'a Map': new Map([['user', 'u']]),
  'a Date': new Date(),
  'bytes': new Uint8Array(4),
  'an object that refers to itself': cyclic(),
  'an object that is nested too deep': deep(101),
  'an object that is nested far too deep': deep(100_000),
  'an object with a getter that throws': { get user() { throw new Error('no'); } },
  'an object with a toJSON that throws': { toJSON() { throw new Error('no'); } },
  'an object whose toJSON gives no object': { toJSON: () => 'user-42' },
  'an object whose toJSON gives nothing': { toJSON: () => undefined },
  'a proxy that refuses': new Proxy({}, { ownKeys() { throw new Error('no'); } }),
};

test('lists that occur in many places, a thousand million values in all, have the wrong shape [12.4]', () => {
  const flags = flagsOf({ name: 'on', enabled: true });
  const places = (levels) => Array.from({ length: levels }).reduce((inner) => [inner, inner], [1]);
  assert.deepEqual(flags.resolve('on', { e: places(30) }), none('INVALID_CONTEXT'));
  assert.equal(flags.isEnabled('on', { e: places(10) }), true);
});

for (const [what, wrong] of Object.entries(WRONG)) {
  test(`${what} has the wrong shape for a context, and the default stands`, () => {
    const flags = flagsOf({ name: 'on', enabled: true, client: true }, { name: 'off', enabled: false });
    for (const key of ['on', 'off']) {
      assert.equal(flags.isEnabled(key, wrong), false);
      assert.equal(flags.isEnabled(key, wrong, true), true);
      assert.equal(flags.value(key, wrong, 'd'), 'd');
      assert.equal(flags.variant(key, wrong, 'd'), 'd');
      assert.deepEqual(flags.resolve(key, wrong), none('INVALID_CONTEXT'));
      assert.deepEqual(flags.explain(key, wrong).resolution, none('INVALID_CONTEXT'));
    }
    assert.deepEqual(flags.resolve('other', wrong), none('FLAG_NOT_FOUND'));
    assert.deepEqual(flags.explain('other', wrong).resolution, none('FLAG_NOT_FOUND'));
    assert.deepEqual(flags.resolveAll(wrong), { on: none('INVALID_CONTEXT'), off: none('INVALID_CONTEXT') });
    assert.deepEqual(flags.project(wrong), {});
    if (build.clientSnapshots) {
      assert.deepEqual(JSON.parse(flags.clientSnapshot(wrong)), { esclusa: 1, flags: [] });
    }
    assert.deepEqual(flags.resolve('on'), ON, 'what comes after is not disturbed');
  });
}

test('a Context is made from a plain object alone', () => {
  for (const [what, wrong] of Object.entries(WRONG)) {
    if (what.includes('nested too deep')) {
      // The engine alone counts levels, and it is asked when the context is used.
      assert.deepEqual(flagsOf({ name: 'on', enabled: true }).resolve('on', new Context('u', wrong)), none('INVALID_CONTEXT'));
    } else if (!what.includes('toJSON gives no')) {
      assert.throws(() => Context.from(wrong), TypeError, what);
    }
  }
  assert.deepEqual(new Context().toJSON(), {});
  assert.deepEqual(new Context(7, { plan: 'P' }).toJSON(), { plan: 'P', targetingKey: 7 });
  assert.deepEqual(Context.from(null).toJSON(), {});
  const context = new Context('u');
  assert.equal(Context.from(context), context);
});

test('nothing, a plain object of another realm, one without a prototype and one of a class are contexts', () => {
  const flags = flagsOf(forUser('u', 'u'));
  class Caller {
    user = 'u';
  }
  const bare = Object.assign(Object.create(null), { user: 'u' });
  for (const plain of [{ user: 'u' }, bare, runInNewContext('({ user: "u" })'), new Caller(), { toJSON: () => ({ user: 'u' }) }]) {
    assert.equal(flags.isEnabled('u', plain), true);
  }
  for (const nobody of [undefined, null, {}, new Context()]) {
    assert.equal(flags.isEnabled('u', nobody), false);
    assert.equal(flags.resolve('u', nobody).reason, 'DEFAULT');
  }
});

test('a targeting key that is given by itself counts before the others', () => {
  const flags = flagsOf(forUser('a', 'a'), forUser('b', 'b'));
  for (const fields of [{ targetingKey: 'b' }, { user: 'b' }, { targetingKey: 'b', user: 'b' }]) {
    const context = new Context('a', fields);
    assert.deepEqual([flags.isEnabled('a', context), flags.isEnabled('b', context)], [true, false], JSON.stringify(fields));
  }
});

test('a plain object means the same in a call of its own and in a Context', () => {
  const flags = flagsOf(
    rule('text', { attribute: 'a', op: 'in', values: ['x', 'ñandú', '\ufffd', '', '"', 'x'.repeat(2_000)] }),
    rule('is', { attribute: 'a', op: 'is', value: true }),
    rule('number', { attribute: 'a', op: 'ge', value: 0.1 }),
    rule('list', { attribute: 'a', op: 'present' }),
    rule('roles', { attribute: 'roles', op: 'in', values: ['x', 'y'] }),
    { name: 'bucketed', enabled: true, bucket_by: 'a', rollout_percentage: 50 },
  );
  if (build.rules) {
    assert.deepEqual(flags.violations, []);
  }
  const odd = Object.assign(['x'], { toJSON: () => ['y'] });
  const values = [
    'x', 'y', 'ñandú', '\u{1f680}', '\ud800', '', '"', '\\', '\u0000', '\u007f', 'x'.repeat(2_000), new String('x'),
    0, -0, 0.1, -7, 1e21, 2 ** 53, 2 ** 53 + 2, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, 7n, true, false, null, undefined,
    [], ['x'], ['x', 'y'], ['ñ'], [''], ['x', 1], ['x', undefined], ['x', null], [['x']], Object.assign([], { length: 2 }), odd,
    Array.from({ length: 200 }, (_, at) => `role-${at}`), {}, { b: 1 }, { toJSON: () => 'x' }, new Date(0), new Set(['x']), new Map(), Symbol('x'), () => 'x',
  ];
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`field-${at}`, at]));
  const hidden = Object.defineProperty({ a: 'x' }, 'roles', { value: ['x'], enumerable: false });
  const contexts = [hidden, { ...many, a: 'x' }, { ...many, a: 'x', z: 'ñ' }, { a: 'x', [Symbol('roles')]: 'y' }, Object.create({ a: 'x' }), { get a() { return 'x'; } }];
  for (const a of values) {
    contexts.push({ a }, { user: 'u', a, roles: ['y'] }, { roles: a }, { role: a, roles: ['x'] }, { roles: ['x'], role: a }, { user: a, targetingKey: 'u' }, { targetingKey: a, user: 'v' });
  }
  for (const context of contexts) {
    for (const key of flags.keys()) {
      const prepared = Context.from(context);
      assert.deepEqual(flags.resolve(key, context), flags.resolve(key, prepared), `${key} of ${inspect(context)}`);
      if (build.explain) {
        assert.equal(flags.explain(key, context).text, flags.explain(key, prepared).text);
      }
    }
  }
});

test('no length of a text and no letter in it moves where another text begins', () => {
  const flags = flagsOf({ name: 'paid', enabled: true, target_plans: ['PREM'] });
  for (let length = 960; length < 1040; length += 1) {
    // Counted in bytes, the first text would end eight bytes sooner, and what follows would be another plan.
    const context = { note: `${'ñ'.repeat(8)}planPREM`, plan: 'FREE', rest: '' };
    context.rest = 'x'.repeat(length - Object.entries(context).flat().join('').length);
    assert.equal(flags.isEnabled('paid', context), false, `${length}`);
    assert.equal(flags.isEnabled('paid', { ...context, plan: 'PREM' }), true, `${length}`);
  }
});

test('a getter that asks flags itself does not disturb the object that it is of', () => {
  const flags = flagsOf(forUser('r', 'uv'));
  const asking = (inner) => ({
    user: 'uv',
    get role() {
      flags.isEnabled('r', inner);
      return 'ADMIN';
    },
  });
  for (const inner of [{ userr: 'v' }, { u: 'seru', v: '' }, { user: 'uv' }, {}, null]) {
    assert.equal(flags.isEnabled('r', asking(inner)), true, inspect(inner));
  }
});

test('a list is read by its places, as JSON reads it', () => {
  const flags = flagsOf({ name: 'admins', enabled: true, target_roles: ['ADMIN'] });
  const roles = Object.assign(['USER'], { *[Symbol.iterator]() { yield 'ADMIN'; } });
  assert.equal(flags.isEnabled('admins', { roles }), false);
  assert.equal(flags.isEnabled('admins', new Context('u', { roles })), false);
});

test('what a toJSON gives is read like any other object', () => {
  const flags = flagsOf({ name: 'admins', enabled: true, target_roles: ['ADMIN'] }, { name: '42', enabled: true, target_companies: ['42'] });
  const fields = { roles: new Set(['ADMIN']), company: 42n, extra: new Map() };
  class Caller {
    toJSON() {
      return fields;
    }
  }
  for (const given of [{ toJSON: () => fields }, new Caller(), { toJSON: () => fields, user: 'u' }]) {
    for (const context of [given, new Context('u', given)]) {
      assert.deepEqual([flags.isEnabled('admins', context), flags.isEnabled('42', context)], [true, true]);
    }
  }
  assert.equal(flags.isEnabled('42', { company: { toJSON: () => 42n } }), true);
});

testRules('a value that JSON does not have counts as missing', () => {
  const flags = flagsOf(rule('present', { attribute: 'x', op: 'present' }));
  const missing = [undefined, null, () => 1, Symbol('x'), Number.NaN, Infinity, new Uint8Array(2), new ArrayBuffer(2), new WeakMap(), /x/, 10n ** 400n, new Date(Number.NaN), Buffer.from('x')];
  for (const x of missing) {
    assert.equal(flags.isEnabled('present', { x }), false, String(x));
    assert.equal(flags.isEnabled('present', new Context('u', { x })), false, String(x));
  }
  for (const x of ['', 0, false, [], {}, 7n, new Date(0)]) {
    assert.equal(flags.isEnabled('present', { x }), true, String(x));
  }
});

testRules('a bigint is the nearest number, and a Date its text', () => {
  const day = 24 * 3600 * 1000;
  const flags = flagsOf(
    rule('is 7', { attribute: 'x', op: 'eq', value: 7 }),
    rule('is 2^60', { attribute: 'x', op: 'eq', value: 2 ** 60 }),
    rule('before', { attribute: 'x', op: 'before', value: '1970-01-02T00:00:00Z' }),
    rule('text', { attribute: 'x', op: 'in', values: ['1970-01-02T00:00:00.000Z'] }),
    { name: 'by company', enabled: true, target_companies: ['42'] },
  );
  assert.equal(flags.isEnabled('is 7', { x: 7n }), true);
  assert.equal(flags.isEnabled('is 7', { x: [1n, 7n] }), true);
  assert.equal(flags.isEnabled('is 7', { x: new Set([1n, 7n]) }), true);
  assert.equal(flags.isEnabled('is 2^60', { x: 2n ** 60n + 1n }), true);
  assert.equal(flags.isEnabled('by company', { company: 42n }), true);
  assert.equal(flags.isEnabled('before', { x: new Date(day - 1) }), true);
  assert.equal(flags.isEnabled('before', { x: new Date(day) }), false);
  assert.equal(flags.isEnabled('text', { x: new Date(day) }), true);
});

test('half a surrogate pair becomes U+FFFD', () => {
  const flags = flagsOf(
    { name: 'replaced', enabled: true, target_companies: ['a\ufffdb'] },
    { name: 'kept', enabled: true, target_companies: ['\u{1f680}', '\\ud800'] },
  );
  for (const company of ['a\ud800b', 'a\udc00b']) {
    assert.equal(flags.isEnabled('replaced', { company }), true);
    assert.equal(flags.isEnabled('replaced', new Context('u', { company })), true);
    assert.equal(flags.isEnabled('replaced', { ['\ud800']: 1, company }), true);
  }
  assert.equal(flags.isEnabled('kept', { company: '\u{1f680}' }), true);
  assert.equal(flags.isEnabled('kept', { company: '\\ud800' }), true, 'a backslash and letters are no escape');
  assert.deepEqual(flags.resolve('\ud800'), none('FLAG_NOT_FOUND'));
  assert.deepEqual(flags.project({}, ['\ud800']), {});
  assert.equal(flagsOf({ name: '\ufffd', enabled: true }).isEnabled('\ud800'), true);
});

testRules('a Context is a copy', () => {
  const flags = flagsOf(rule('r', { attribute: 'list', op: 'in', values: ['a'] }));
  const plain = { list: ['a'] };
  const context = new Context('u', plain);
  plain.list[0] = 'b';
  assert.equal(flags.isEnabled('r', context), true);
  const read = context.toJSON();
  read.list[0] = 'c';
  assert.deepEqual(context.toJSON().list, ['a']);
});

test('a Context that was freed is prepared anew, and freeing twice is no error', () => {
  const flags = flagsOf(forUser('r', 'u'));
  const context = new Context('u');
  assert.equal(flags.isEnabled('r', context), true);
  context.free();
  context.free();
  const other = new Context('other');
  assert.equal(flags.isEnabled('r', other), false);
  assert.equal(flags.isEnabled('r', context), true);
  context[Symbol.dispose]();
  assert.equal(flags.isEnabled('r', context), true);
});
