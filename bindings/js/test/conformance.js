// The evaluation cases of OpenFeature's specification, from the folder `openfeature-gherkin` of CONFORMANCE_DIR: both SDKs
// hold the same. A flag of `test-flags.json` is read as the row that says the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { QUICK, until } from './loopback.js';

/** The names of scenarios that cannot hold, each with the reason. */
const LEFT_OUT = {
  'Flag metadata in evaluation details': 'a flag has no metadata of its own',
  'Returns metadata': 'a flag has no metadata of its own',
  'CACHED reason': 'nothing is cached',
  'Evaluation context immutability': 'the SDK alone holds it',
  'Evaluation options with hooks': 'the steps name no hook; the feature `hooks` does',
};

/** A row that says what a flag of the specification's says. */
function row([key, { variants: given, defaultVariant, disabled, contextEvaluator }]) {
  const variants = Object.entries(given).map(([variant, value]) => ({ key: variant, value, weight: variant === defaultVariant ? 1 : 0 }));
  if (defaultVariant === undefined || defaultVariant === null) {
    variants.unshift({ key: 'none', value: null, weight: 1 });
  }
  const flag = { name: key, enabled: disabled !== true, variants };
  if (contextEvaluator === undefined) {
    return flag;
  }
  const email = { attribute: 'email', op: 'in', values: ['ballmer@macrosoft.com'] };
  const customer = { not: { attribute: 'customer', op: 'is', value: true } };
  const isComplex = contextEvaluator.includes('customer');
  const when = isComplex ? { all: [customer, email, { attribute: 'age', op: 'gt', value: 10 }] } : email;
  const rules = [{ key: 'condition', when, variant: isComplex ? 'internal' : 'zero' }];
  return { ...flag, rules, off_value: given[defaultVariant] };
}

/** @param {object} given the package, `sync` as a function, the SDK, its provider's class, and whether it is the web's */
export async function testConformance({ Flags, sync, sdk, Provider, isWeb }) {
  const { CONFORMANCE_DIR } = process.env;
  if (CONFORMANCE_DIR === undefined) {
    test('the cases of the specification', { skip: 'OpenFeature\'s cases need CONFORMANCE_DIR' }, () => undefined);
    return;
  }
  const folder = join(CONFORMANCE_DIR, 'openfeature-gherkin');
  const rows = JSON.stringify(Object.entries(JSON.parse(readFileSync(join(folder, 'test-flags.json'), 'utf8'))).map(row));
  const { AstBuilder, GherkinClassicTokenMatcher, Parser, compile } = await import('@cucumber/gherkin');
  const { IdGenerator } = await import('@cucumber/messages');
  const parser = new Parser(new AstBuilder(IdGenerator.incrementing()), new GherkinClassicTokenMatcher());
  for (const name of ['evaluation_v2', 'hooks', 'metadata']) {
    const document = parser.parse(readFileSync(join(folder, `${name}.feature`), 'utf8'));
    compile(document, name, IdGenerator.incrementing()).forEach((pickle, number) => {
      if (LEFT_OUT[pickle.name] === undefined) {
        test(`${name} ${number}: ${pickle.name}`, async () => {
          const world = new World({ Flags, sync, sdk, Provider, isWeb, rows, domain: `${name} ${number}` });
          try {
            for (const step of pickle.steps) {
              await world.take(step);
            }
          } finally {
            // A provider that initialises waits for it.
            world.waiting?.publishSync('[]');
            world.kept?.close();
          }
        });
      }
    });
  }
}

/** What one scenario knows. */
class World {
  attributes = {};
  hooks = [];
  heard = {};

  constructor(given) {
    Object.assign(this, given);
    this.client = given.sdk.OpenFeature.getClient(given.domain);
  }

  async provide(state) {
    const { Flags, Provider, domain, rows, sdk, sync } = this;
    const { OpenFeature } = sdk;
    const flags = new Flags();
    const set = (options) => OpenFeature.setProviderAndWait(domain, new Provider(flags, options));
    const source = { name: 'store', fetch: () => this.answer() };
    if (state === 'stable') {
      flags.publishSync(rows);
      await set();
    } else if (state === 'not ready') {
      OpenFeature.setProvider(domain, new Provider(flags));
      this.waiting = flags;
    } else if (state === 'error') {
      await assert.rejects(set({ initializationTimeoutMs: 5 }));
    } else if (state === 'fatal') {
      this.isAway = true;
      const kept = sync(flags, source, QUICK);
      const refused = assert.rejects(set());
      setTimeout(() => kept.close(), 5);
      await refused;
    } else if (state === 'stale') {
      this.kept = sync(flags, source, QUICK);
      await set();
      this.isAway = true;
      await until(() => this.client.providerStatus === 'STALE');
    } else {
      assert.fail(`the state \`${state}\` is unknown`);
    }
  }

  answer() {
    if (this.isAway) {
      throw new Error('the store is away');
    }
    return '[{"name": "a"}]';
  }

  read(text) {
    return this.kind === 'string' ? text : JSON.parse(text);
  }

  async ask() {
    const { attributes, client, domain, hooks, isWeb, key, kind, sdk } = this;
    const type = { boolean: 'Boolean', string: 'String', object: 'Object' }[kind] ?? 'Number';
    const asked = [key, this.read(this.otherwise), ...(isWeb ? [] : [attributes]), { hooks }];
    if (isWeb && Object.keys(attributes).length > 0) {
      await sdk.OpenFeature.setContext(domain, attributes);
    }
    return client[`get${type}Details`](...asked);
  }

  hook() {
    const keep = (stage) => (_, details) => {
      this.heard[stage] = details;
    };
    return { before: keep('before'), after: keep('after'), error: keep('error'), finally: keep('finally') };
  }

  async take({ text: given, argument }) {
    const text = given.replaceAll('\\"', '\u0001');
    const texts = [...text.matchAll(/"([^"]*)"/g)].map(([, part]) => part.replaceAll('\u0001', '"'));
    const sentence = text.replaceAll(/ *"[^"]*"/g, '');
    const [, state] = /^an? (.*) provider$/.exec(sentence) ?? [];
    const [, kind] = /^an? (.*)-flag with key and a fallback value$/.exec(sentence) ?? [];
    if (state !== undefined) {
      await this.provide(state);
    } else if (kind !== undefined) {
      [this.kind, this.key, this.otherwise] = [kind.toLowerCase(), ...texts];
    } else if (sentence === 'a client with added hook') {
      this.hooks = [this.hook()];
    } else if (sentence === 'a context containing a key, with type and with value') {
      const [name, type, value] = texts;
      this.attributes[name] = type === 'String' ? value : JSON.parse(value);
    } else if (sentence === 'a context containing a key with null value') {
      this.attributes[texts[0]] = null;
    } else if (/^the flag was evaluated with details( asynchronously)?$/.test(sentence)) {
      this.details = await this.ask();
    } else {
      this.then(sentence, texts, argument);
    }
  }

  then(sentence, [text], argument) {
    const { client, details, heard } = this;
    const names = { reason: 'reason', variant: 'variant', 'error-code': 'errorCode', 'flag key': 'flagKey' };
    const [, name] = /^the (.*) should be$/.exec(sentence) ?? [];
    if (sentence === 'the resolved details value should be') {
      assert.deepEqual(details.value, this.read(text));
    } else if (sentence === 'the provider status should be') {
      assert.equal(client.providerStatus, text);
    } else if (names[name] !== undefined) {
      assert.equal(details[names[name]], text);
    } else if (sentence === 'the hook should have been executed') {
      assert.ok(text in heard);
    } else if (sentence === 'the hooks should be called with evaluation details') {
      text.split(', ').forEach((stage) => this.calledWith(heard[stage], argument.dataTable.rows));
    } else if (/^(the resolved metadata is empty|the evaluation should complete without blocking)$/.test(sentence)) {
      assert.deepEqual({ ...details.flagMetadata }, {});
    } else {
      assert.fail(`the step \`${sentence}\` is unknown`);
    }
  }

  calledWith(details, rows) {
    const names = { flag_key: 'flagKey', error_code: 'errorCode' };
    for (const [type, name, { value }] of rows.slice(1).map(({ cells }) => [cells[0].value, cells[1].value, cells[2]])) {
      const expected = value === 'null' ? undefined : type === 'boolean' ? JSON.parse(value) : value;
      assert.equal(details[names[name] ?? name], expected, name);
    }
  }
}
