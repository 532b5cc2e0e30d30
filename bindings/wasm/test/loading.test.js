// The ways in which the module is loaded, and how much there is to load.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import test from 'node:test';

import { measure, BUDGET_BYTES } from '../size.js';

const wasm = (name) => new URL(`../dist/${name}`, import.meta.url);
const bytes = readFileSync(wasm('esclusa.wasm'));
/** A copy of the module with a state of its own: what a browser or an edge runtime loads. */
let copies = 0;
const fresh = (file = 'index.js') => import(`${wasm(file).href}?copy=${copies++}`);
const answers = ({ Flags, Context }) => {
  const flags = new Flags();
  flags.publishSync('[{"name": "on", "enabled": true, "target_plans": ["PREMIUM"]}]');
  return [flags.isEnabled('on', new Context('u', { plan: 'PREMIUM' })), flags.isEnabled('on', { plan: 'FREE' })];
};

const WAYS = {
  'a compiled module': async () => WebAssembly.compile(bytes),
  'its bytes': async () => bytes,
  'an ArrayBuffer': async () => new Uint8Array(bytes).buffer,
  'a response': async () => new Response(bytes, { headers: { 'content-type': 'application/wasm' } }),
  'a response with another type': async () => new Response(bytes),
  'a promise of one': () => Promise.resolve(new Response(bytes)),
};
for (const [what, make] of Object.entries(WAYS)) {
  test(`an edge runtime gives ${what}`, async (t) => {
    t.mock.method(console, 'warn', () => undefined);
    const host = await fresh();
    await host.default(make());
    assert.deepEqual(answers(host), [true, false]);
    await host.default();
  });
}

test('at once, from a compiled module or bytes', async () => {
  for (const module of [new WebAssembly.Module(bytes), bytes]) {
    const host = await fresh();
    host.initSync(module);
    assert.deepEqual(answers(host), [true, false]);
    host.initSync(module);
  }
});

test('the module is fetched from an address, once however often it is asked for', async (t) => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'application/wasm' }).end(bytes);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = `http://127.0.0.1:${server.address().port}/esclusa.wasm`;
  const host = await fresh();
  await Promise.all([host.default(address), host.default(address), host.default(new URL(address))]);
  await host.default();
  assert.deepEqual([answers(host), asked], [[true, false], 1]);
});

test('a load that fails can be tried again', async () => {
  const host = await fresh();
  await assert.rejects(host.default(new Uint8Array([1, 2, 3, 4])));
  await host.default(bytes);
  assert.deepEqual(answers(host), [true, false]);
});

test('before the module is loaded the defaults stand, and publishing says what is missing', async () => {
  const host = await fresh();
  const flags = new host.Flags();
  const context = new host.Context('u', { plan: 'PREMIUM' });
  assert.deepEqual([flags.isEnabled('on', context, true), flags.resolve('on', context).errorCode, flags.isReady], [true, 'PROVIDER_NOT_READY', false]);
  assert.throws(() => flags.publishSync('[]'), /the WebAssembly is not loaded, expected `await init\(\)`/);
  await assert.rejects(flags.publish('[]'), /the WebAssembly is not loaded/);
  await host.default(bytes);
  await flags.publish('[{"name": "on", "enabled": true, "target_plans": ["PREMIUM"]}]');
  assert.equal(flags.isEnabled('on', context), true, 'both were made before there was a module');
});

test('in Node the package needs no file and no fetch', async (t) => {
  t.mock.method(globalThis, 'fetch', () => assert.fail('nothing is fetched'));
  for (const file of ['node.js', 'full/node.js']) {
    const host = await fresh(file);
    assert.deepEqual(answers(host), [true, false], 'before init');
    await host.default();
  }
});

test('nothing is evaluated from text', () => {
  const program = `
    const { Flags } = await import(${JSON.stringify(wasm('node.js').href)});
    const flags = new Flags();
    flags.publishSync('[{"name": "on", "enabled": true}]');
    console.log(flags.isEnabled('on'));`;
  const given = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program];
  assert.equal(execFileSync(process.execPath, given, { encoding: 'utf8' }), 'true\n');
});

test('an app whose own clock asks for a flag gets the default there', async (t) => {
  const host = await fresh('node.js');
  const flags = new host.Flags();
  flags.publishSync('[{"name": "window", "enabled": true, "start_date": "2020-01-01"}]');
  const context = new host.Context('u');
  flags.isEnabled('window', context);
  const { now } = Date;
  let inner;
  t.mock.method(Date, 'now', () => {
    inner = flags.isEnabled('window', context);
    return now();
  });
  assert.equal(flags.isEnabled('window', context), true);
  assert.equal(inner, false);
});

test('what a browser loads is within its budget', async (t) => {
  const sizes = await measure();
  for (const { what, raw, gzipped } of sizes.parts) {
    t.diagnostic(`${what}: ${raw} bytes, gzipped ${gzipped}`);
  }
  t.diagnostic(`a browser loads ${sizes.total} bytes gzipped, of at most ${BUDGET_BYTES}`);
  assert.ok(sizes.total <= BUDGET_BYTES, `${sizes.total} bytes gzipped, expected at most ${BUDGET_BYTES}`);
});
