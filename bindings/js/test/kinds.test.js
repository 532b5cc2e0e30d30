// Values that JSON does not have and that plainly mean one, and what is left: sentences 3.9, 3.10 and 12.5 of SEMANTICS.md.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';

import { flagsOf } from './given.js';
import { build, host } from './hosts.js';

const { Context } = host;

class ObjectId {
  constructor(hex) {
    this.hex = hex;
  }
  toHexString() {
    return this.hex;
  }
}

class Branded {
  #text;
  constructor(text) {
    this.#text = text;
  }
  toString() {
    return this.#text;
  }
}

class Tenant {
  id = 'acme';
}

class WithGetters {
  get user() {
    return 'u';
  }
  get roles() {
    return ['ADMIN'];
  }
}

class Derived extends WithGetters {
  company = 'acme';
}

const warnings = async (ask) => {
  const said = [];
  const { warn } = console;
  console.warn = (text) => said.push(text);
  try {
    await ask();
  } finally {
    console.warn = warn;
  }
  return said;
};

/** Silences what is told of, where a test is about something else. */
const quietly = (name, run) => test(name, () => warnings(run));

/** Whether the flag is on, which must not depend on how the caller is given. */
function isOn(flags, context) {
  const answers = [context, new Context(null, context), Context.from(Context.from(context).toJSON())].map((one) => flags.isEnabled('f', one));
  assert.equal(new Set(answers).size, 1, inspect(context));
  return answers[0];
}

const off = (lists) => flagsOf({ name: 'f', enabled: true, overrides: { off: lists } });

test('whatever the type of an id, a deny list holds', () => {
  const companies = off({ companies: ['acme', '7', '6012345678901234567'] });
  const users = off({ users: ['acme', 7, '6012345678901234567'] });
  const ids = ['acme', 7, 7n, 6012345678901234567n, new String('acme'), new Number(7), Object(7n), new ObjectId('acme'), new Branded('acme'),
    { toString: () => 'acme' }, { toHexString: () => 'acme' }, { toJSON: () => 'acme' }, runInNewContext('({ toString() { return "acme"; } })')];
  for (const id of ids) {
    assert.equal(isOn(companies, { company: id }), false, inspect(id));
    assert.equal(isOn(users, { user: id }), false, inspect(id));
    assert.equal(users.isEnabled('f', new Context(id)), false, inspect(id));
    assert.equal(isOn(users, { targetingKey: id, user: 'u' }), false, inspect(id));
  }
  assert.equal(isOn(companies, { company: 'other' }), true);
});

quietly('an id that cannot be read is let past no deny list', () => {
  const [companies, users] = [off({ companies: ['acme'] }), off({ users: ['ann'] })];
  const unreadable = [new Tenant(), {}, [], ['acme'], true, false, 7.5, Number.NaN, 2 ** 53, -(2 ** 60), 2n ** 63n, Symbol('acme'), () => 'acme', new Uint8Array(2),
    new Map(), new Set(['acme']), /acme/, new Error('acme'), runInNewContext('({})'), runInNewContext('["acme"]')];
  for (const id of unreadable) {
    assert.equal(isOn(companies, { company: id }), false, inspect(id));
    assert.equal(isOn(companies, { user: id }), true, inspect(id));
    assert.equal(isOn(users, { user: id }), false, inspect(id));
    assert.equal(isOn(users, { user: id, targetingKey: 'bob' }), true, inspect(id));
  }
  for (const missing of [undefined, null]) {
    assert.equal(isOn(companies, { company: missing }), true);
  }
});

const tester = build.rules ? test : () => undefined;
const condition = (when) => flagsOf({ name: 'f', enabled: true, rules: [{ key: 'r', when }] });
const among = (attribute, ...values) => condition({ attribute, op: 'in', values });

tester('maps, sets, arrays and boxed values of this realm and of another are read', () => {
  for (const make of [(code) => runInNewContext(code), (code) => (0, eval)(code)]) {
    for (const code of ['new Set(["x"])', '["x"]', '[new String("x")]', 'new String("x")', 'new Map([["y", 1]]).size && ["x"]']) {
      assert.equal(isOn(among('a', 'x'), { a: make(code) }), true, code);
    }
    assert.equal(isOn(among('a.b', 'x'), { a: make('new Map([["b", new Set(["x"])], [1, "y"]])') }), true);
    assert.equal(isOn(condition({ attribute: 'a', op: 'before', value: '1970-01-02' }), { a: make('new Date(0)') }), true);
    assert.equal(isOn(condition({ attribute: 'a', op: 'is', value: true }), { a: make('new Boolean(true)') }), true);
    assert.equal(isOn(condition({ attribute: 'a', op: 'eq', value: 7 }), { a: make('new Number(7)') }), true);
  }
});

tester('what can be gone through is a list', () => {
  const flags = among('a', 'x');
  const generated = function* () {
    yield 'y';
    yield 'x';
  };
  for (const make of [generated, () => ['y', 'x'].values(), () => new Map([['x', 1]]).keys(), () => ({ *[Symbol.iterator]() { yield 'x'; } })]) {
    assert.equal(flags.isEnabled('f', { a: make() }), true);
    assert.equal(flags.isEnabled('f', new Context('u', { a: make() })), true);
  }
  const endless = function* () {
    while (true) {
      yield 'x';
    }
  };
  assert.equal(flags.resolve('f', { a: endless() }).errorCode, 'INVALID_CONTEXT');
});

tester('whole numbers of 64 bits are exact as bigints, and numbers that are not exact are no ids', async () => {
  const id = '6012345678901234567';
  for (const [a, truth] of [[BigInt(id), true], [BigInt(id) + 1n, false], [[BigInt(id)], true]]) {
    // A copy by JSON.parse has the nearest number.
    assert.equal(among('a', id).isEnabled('f', { a }), truth);
    assert.equal(among('a', id).isEnabled('f', new Context('u', { a })), truth);
  }
  assert.equal(isOn(among('user', id), { user: BigInt(id) }), true);
  assert.deepEqual(new Context(BigInt(id), { roles: [BigInt(id)] }).toJSON(), { roles: [id], targetingKey: id });
  assert.equal(isOn(among('a', String(2 ** 60)), { a: 2 ** 60 }), false);
  assert.equal(isOn(condition({ attribute: 'a', op: 'eq', value: 2 ** 60 }), { a: 2 ** 60 }), true);
  assert.equal(isOn(condition({ attribute: 'a', op: 'eq', value: 1e21 }), { a: 1e21 }), true);
  await warnings(() => assert.equal(isOn(among('user', String(2 ** 53)), { user: 2 ** 53 }), false));
});

test('the getters of a class are fields', () => {
  const flags = flagsOf({ name: 'f', enabled: true, target_users: ['u'], target_roles: ['ADMIN'] });
  for (const caller of [new WithGetters(), new Derived()]) {
    assert.equal(flags.isEnabled('f', caller), true);
    assert.equal(flags.isEnabled('f', new Context('u', caller)), true);
    assert.equal(flags.isEnabled('f', new Context('v', caller)), false);
  }
  assert.deepEqual(new Context(null, new Derived()).toJSON(), { company: 'acme', user: 'u', roles: ['ADMIN'] });
});

test('objects are ids only where an id is wanted', () => {
  const roles = flagsOf({ name: 'f', enabled: true, target_roles: ['ADMIN'] });
  assert.equal(isOn(roles, { roles: [new Branded('ADMIN')] }), true);
  assert.equal(isOn(roles, { role: new Branded('ADMIN') }), true);
  assert.deepEqual(new Context(null, { a: new ObjectId('x') }).toJSON(), { a: { hex: 'x' } });
});

test('what is left is warned of once for each name and class', async () => {
  class Once {}
  const flags = flagsOf({ name: 'f', enabled: true });
  const said = await warnings(() => {
    for (let time = 0; time < 3; time += 1) {
      flags.isEnabled('f', { company: new Once(), plan: new Once(), x: /x/, y: [Symbol('y')] });
      new Context('u', { company: new Once(), y: [Symbol('y')] });
      flags.isEnabled('f', { region: true });
    }
  });
  assert.deepEqual(said, [
    'esclusa: context: `company` is an instance of `Once`, which is no text: it counts as missing, and a flag with `overrides.off` for it is off',
    'esclusa: context: `plan` is an instance of `Once`, which is no text: it counts as missing',
    'esclusa: context: `x` is an instance of `RegExp`, which is no value of JSON: it counts as missing',
    'esclusa: context: `y` is a symbol, which is no value of JSON: it counts as missing there',
    'esclusa: context: `region` is a boolean, which is no text: it counts as missing',
  ]);
});

test('what is fine is warned of not at all', async () => {
  const flags = flagsOf({ name: 'f', enabled: true });
  const fine = { user: 7, company: null, plan: undefined, region: 'CO', roles: new Set(['A']), x: 7.5, y: [null, undefined], z: { deep: new Date(0) }, id: 7n };
  assert.deepEqual(await warnings(() => [flags.isEnabled('f', fine), new Context('u', fine)]), []);
});

test('fields in the place of a targeting key are an error that says so', () => {
  for (const fields of [{ user: 'u' }, new Tenant(), new Map([['user', 'u']]), ['u'], Object.create(null)]) {
    assert.throws(() => new Context(fields), /the targeting key is an object, expected a string; Context\.from\(\)/);
  }
});
