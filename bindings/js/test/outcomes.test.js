// Section 12 of SEMANTICS.md, outcome by outcome, through the package that ESCLUSA_HOST names.
import assert from 'node:assert/strict';
import test from 'node:test';

import { ON, flagsOf, none, publish } from './given.js';
import { build, host, name } from './hosts.js';

const { Context, Flags, SnapshotError } = host;

const HALF = { name: 'half', enabled: true, rollout_percentage: 50 };
const LAYOUT = { name: 'layout', enabled: true, variants: [{ key: 'a', value: { columns: [1, 2] } }], off_value: 'old' };

test('before anything is published the defaults stand, and the getters say so', () => {
  const flags = new Flags();
  assert.equal(flags.isEnabled('x'), false);
  assert.equal(flags.isEnabled('x', {}, true), true);
  assert.equal(flags.value('x'), null);
  assert.equal(flags.value('x', {}, 'classic'), 'classic');
  assert.equal(flags.variant('x', null, 'a'), 'a');
  assert.deepEqual(flags.resolve('x', 7), none('PROVIDER_NOT_READY'));
  assert.deepEqual(flags.explain('x').resolution, none('PROVIDER_NOT_READY'));
  assert.match(flags.explain('x').text, /^`x` is OFF: /);
  assert.deepEqual(flags.resolveAll(), {});
  assert.deepEqual(flags.project({}), {});
  if (build.clientSnapshots) {
    assert.deepEqual(JSON.parse(flags.clientSnapshot()), { esclusa: 1, flags: [] });
  }
  assert.deepEqual(
    [flags.isReady, flags.revision, flags.generatedAt, flags.size, flags.keys(), flags.violations, flags.has('x')],
    [false, null, null, 0, [], [], false],
  );
});

test('a first snapshot that is refused leaves everything unpublished', () => {
  const flags = new Flags();
  assert.throws(() => flags.publishSync('{'), SnapshotError);
  assert.equal(flags.isReady, false);
  assert.deepEqual(flags.resolve('x'), none('PROVIDER_NOT_READY'));
  assert.deepEqual(flags.explain('x').resolution, none('PROVIDER_NOT_READY'));
});

test('after publishing the getters say what is current', () => {
  const flags = new Flags();
  const document = { esclusa: 1, revision: 42, generated_at: '2025-01-22T12:00:00Z', flags: [{ name: 'on', enabled: true }, { name: 'bad', enabled: 7 }] };
  const report = flags.publishSync(JSON.stringify(document));
  assert.deepEqual([report.outcome, report.revision, report.added, report.removed, report.changed], ['published', 42, ['bad', 'on'], [], []]);
  assert.deepEqual(report.setAside, [{ key: 'bad', off: false, kept: null }]);
  assert.deepEqual(
    [flags.isReady, flags.revision, flags.generatedAt.toISOString(), flags.size, flags.keys()],
    [true, 42, '2025-01-22T12:00:00.000Z', 2, ['on', 'bad']],
  );
  assert.deepEqual(flags.violations.map(({ place }) => place), ['/flags/1/enabled']);
  const { fingerprint, ...reading } = flagsOf({}).publishSync('[{"name":"a","enabled":1,"createdAt":"x","rollout_percent":"SECRET"}]').reading;
  const unsaid = 'this build leaves messages out, expected a build with the feature `messages`';
  const column = (column, readAs, why, withheld, kinds) => ({ column, readAs, why, rows: 1, notEmpty: 1, withheld, kinds });
  assert.equal(fingerprint.length, 8);
  assert.deepEqual(reading, {
    rows: 1,
    flags: 1,
    mapping: null,
    rowsLeftOut: [],
    columns: [
      column('name', 'name', null, 0, []),
      column('enabled', 'enabled', null, 0, []),
      column('createdAt', null, 'not read', 0, ['text']),
      column('rollout_percent', null, 'looks like a restriction', 1, ['text']),
    ],
    notices: ['createdAt', 'rollout_percent'].map((name) => ({
      code: 'new-column',
      problem: build.messages ? `\`${name}\` was in no row of the set before` : unsaid,
      rows: 1,
    })),
  });
  assert.deepEqual([flags.has('on'), flags.has('bad'), flags.has('other'), flags.has(7)], [true, true, false, false]);
});

test('an unknown key leaves the default, and so does a key that is no string', () => {
  const flags = flagsOf({ name: 'on', enabled: true }, { name: 'null', enabled: true }, { name: '7', enabled: true });
  for (const key of ['', 'On', 'toString', 'constructor', 'hasOwnProperty', null, undefined, 7, {}, Symbol('on'), ['on']]) {
    assert.equal(flags.isEnabled(key, {}, true), true);
    assert.equal(flags.isEnabled(key, new Context('u')), false);
    assert.equal(flags.value(key, {}, 'd'), 'd');
    assert.equal(flags.variant(key, {}, 'd'), 'd');
    assert.deepEqual(flags.resolve(key), none('FLAG_NOT_FOUND'));
    assert.deepEqual(flags.explain(key).resolution, none('FLAG_NOT_FOUND'));
  }
  assert.deepEqual(flags.resolve('on'), ON);
});

test('flags that were freed are as before publishing, and can be published into again', () => {
  const flags = flagsOf({ name: 'on', enabled: true });
  assert.equal(flags.isEnabled('on', new Context('u')), true);
  flags.free();
  flags.free();
  const other = flagsOf({ name: 'on', enabled: false });
  assert.equal(flags.isEnabled('on', new Context('u'), true), true);
  assert.deepEqual(flags.resolve('on'), none('PROVIDER_NOT_READY'));
  assert.deepEqual([flags.isReady, other.isReady], [false, true]);
  publish(flags, { name: 'on', enabled: true });
  assert.deepEqual(flags.resolve('on'), ON);
});

test('with any other error the flag has an answer, and the default is not used', () => {
  const flags = flagsOf(HALF, { name: 'broken', enabled: true, rollout_percentage: 150, off_value: 'off' });
  for (const context of [{}, new Context(), null]) {
    assert.equal(flags.isEnabled('half', context, true), false);
    assert.equal(flags.value('half', context, true), false);
    assert.equal(flags.resolve('half', context).errorCode, 'TARGETING_KEY_MISSING');
    assert.equal(flags.isEnabled('broken', context, true), false);
    assert.equal(flags.value('broken', context, 'd'), 'off');
    assert.equal(flags.variant('broken', context, 'd'), null);
    assert.equal(flags.resolve('broken', context).errorCode, 'PARSE_ERROR');
  }
  const projection = flags.project({});
  assert.deepEqual(projection.half, { enabled: false, value: false }, 'an error is off, as everywhere');
  assert.deepEqual(projection.broken, { enabled: false, value: 'off' });
});

test('values are copies, and another publish changes them', () => {
  const flags = flagsOf(LAYOUT);
  flags.value('layout').columns.push(3);
  flags.resolve('layout').value.columns.push(3);
  assert.deepEqual(flags.value('layout'), { columns: [1, 2] });
  assert.equal(flags.variant('layout'), 'a');
  publish(flags, { ...LAYOUT, variants: [{ key: 'b', value: [7] }] });
  assert.deepEqual([flags.value('layout'), flags.variant('layout')], [[7], 'b']);
  publish(flags, { ...LAYOUT, enabled: false });
  assert.deepEqual([flags.value('layout'), flags.variant('layout', null, 'd')], ['old', null]);
  publish(flags);
  assert.deepEqual([flags.value('layout', null, 'd'), flags.isEnabled('layout', new Context('u'), true)], ['d', true]);
  publish(flags, LAYOUT);
  assert.deepEqual(flags.value('layout'), { columns: [1, 2] });
});

test('a snapshot that is refused raises one error with every violation, and what is published stays', async () => {
  const flags = flagsOf({ name: 'on', enabled: true });
  const broken = JSON.stringify([{ name: 'a', enabled: 7 }, { name: 'b', rollout_percentage: 150 }]);
  const refusal = (error) => {
    assert.ok(error instanceof SnapshotError && error instanceof Error);
    assert.equal(error.name, 'SnapshotError');
    assert.deepEqual(error.violations.map(({ place }) => place).sort(), ['/0/enabled', '/1/rollout_percentage']);
    assert.match(error.message, build.messages ? /`\/1\/rollout_percentage`: 150 is out of range, expected 0 to 100/ : /`\/1\/rollout_percentage`: out-of-range: /);
    return true;
  };
  assert.throws(() => flags.publishSync(broken, { strict: true }), refusal);
  await assert.rejects(flags.publish(broken, { strict: true }), refusal);
  const refused = ['', '{', '7', '{"esclusa": 2, "flags": []}', '[{"name": "x"},]', '"\\ud800"', `${'['.repeat(101)}${']'.repeat(101)}`];
  for (const text of refused) {
    assert.throws(() => flags.publishSync(text), SnapshotError, text);
    await assert.rejects(flags.publish(Buffer.from(text)), SnapshotError, text);
  }
  assert.deepEqual(flags.resolve('on'), ON);
  assert.deepEqual(flags.keys(), ['on']);
});

test('a snapshot is text or bytes', async () => {
  const text = '\ufeff[{"name": "ñ", "enabled": true}]';
  const bytes = new TextEncoder().encode(text);
  const part = new Uint8Array([0, ...bytes, 0]).subarray(1, -1);
  for (const snapshot of [text, bytes, Buffer.from(bytes), bytes.buffer.slice(0), part]) {
    const flags = new Flags();
    flags.publishSync(snapshot);
    assert.equal(flags.isEnabled('ñ'), true);
    await flags.publish(snapshot);
    assert.equal(flags.isEnabled('ñ'), true);
  }
  const flags = new Flags();
  for (const wrong of [undefined, null, 7, {}]) {
    assert.throws(() => flags.publishSync(wrong), TypeError);
    await assert.rejects(flags.publish(wrong), TypeError);
  }
  assert.throws(() => flags.publishSync(new Uint8Array([0x22, 0xff, 0x22])), SnapshotError);
});

test('bytes that change while they are published do not matter', async () => {
  const flags = new Flags();
  const bytes = new TextEncoder().encode('[{"name": "on", "enabled": true}]');
  const report = flags.publish(bytes);
  bytes.fill(0);
  assert.deepEqual((await report).added, ['on']);
  const text = JSON.stringify(Array.from({ length: 3000 }, (_, at) => ({ name: `flag-${at}`, enabled: true })));
  const shared = new Uint8Array(new SharedArrayBuffer(text.length));
  for (const given of [Buffer.from(text), new TextEncoder().encode(text).buffer, (shared.set(Buffer.from(text)), shared)]) {
    const other = new Flags();
    const reported = other.publish(given);
    new Uint8Array(given.buffer ?? given, given.byteOffset ?? 0, given.byteLength).fill(0x20);
    assert.equal((await reported).added.length, 3000);
  }
});

test('an older revision is refused unless the caller accepts it', async () => {
  const flags = new Flags();
  const document = (revision, enabled) => JSON.stringify({ esclusa: 1, revision, flags: [{ name: 'on', enabled }] });
  flags.publishSync(document(2, false));
  assert.equal((await flags.publish(document(1, true))).outcome, 'older');
  assert.deepEqual([flags.isEnabled('on'), flags.revision], [false, 2]);
  assert.equal((await flags.publish(document(1, true), { acceptOlder: true })).outcome, 'published');
  assert.deepEqual([flags.isEnabled('on'), flags.revision], [true, 1]);
});

test('snapshots become current in the order in which they were given', async () => {
  const flags = new Flags();
  const many = Array.from({ length: 3000 }, (_, at) => ({ name: `flag-${at}`, enabled: true }));
  const large = flags.publish(JSON.stringify(many));
  const small = flags.publish('[{"name": "last", "enabled": true}]');
  const refused = flags.publish('{');
  const last = flags.publish('[{"name": "very last", "enabled": true}]');
  await assert.rejects(refused, SnapshotError);
  assert.deepEqual([(await large).added.length, (await small).added, (await last).removed], [3000, ['last'], ['last']]);
  assert.deepEqual(flags.keys(), ['very last']);
});

test('flags that are freed while a snapshot is on its way can be used again', async () => {
  const flags = new Flags();
  const first = flags.publish('[{"name": "a"}]');
  const second = flags.publish('[{"name": "b"}]');
  flags.free();
  await Promise.allSettled([first, second]);
  assert.deepEqual(flags.resolve('a'), none('PROVIDER_NOT_READY'));
  await flags.publish('[{"name": "c", "enabled": true}]');
  assert.deepEqual([flags.keys(), flags.isEnabled('c')], [['c'], true]);
});

test('listeners of freed flags hear nothing, and a publish that was on its way says that it was too late', async () => {
  const flags = new Flags();
  const heard = [];
  flags.onPublish(({ added }) => heard.push(...added));
  const many = JSON.stringify(Array.from({ length: 3000 }, (_, at) => ({ name: `flag-${at}`, enabled: true })));
  // WebAssembly publishes at once, so only native ones are late.
  const late = [flags.publish(many), flags.publish('[{"name": "a"}]')];
  const before = heard.length;
  flags.free();
  flags.publishSync('[{"name": "mine"}]');
  const settled = await Promise.allSettled(late);
  assert.deepEqual(heard.slice(before), ['mine']);
  assert.deepEqual(flags.keys(), ['mine']);
  for (const { status, reason } of before === 0 ? settled : []) {
    assert.deepEqual([status, reason?.message], ['rejected', 'nothing was published: the flags were freed meanwhile']);
  }
});

test('a listener that rejects is reported, and is no unhandled rejection', async (t) => {
  const said = t.mock.method(console, 'error', () => undefined);
  const unhandled = t.mock.fn();
  process.on('unhandledRejection', unhandled);
  const flags = new Flags();
  flags.onPublish(async () => {
    throw new Error('mine, later');
  });
  publish(flags, { name: 'a' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('unhandledRejection', unhandled);
  assert.deepEqual([said.mock.calls.map((call) => call.arguments[1].message), unhandled.mock.callCount()], [['mine, later'], 0]);
});

test('listeners are called for each publish until they are removed, and one that throws affects no other', async (t) => {
  const said = t.mock.method(console, 'error', () => undefined);
  const flags = new Flags();
  const heard = [];
  const listener = (report) => heard.push(report.added);
  const stop = flags.onPublish(() => {
    throw new Error('mine');
  });
  const stopOne = flags.onPublish(listener);
  flags.onPublish(listener);
  publish(flags, { name: 'a' });
  stop();
  stopOne();
  stopOne();
  await flags.publish('[{"name": "b"}]');
  await flags.publish('[').catch(() => undefined);
  assert.deepEqual(heard, [['a'], ['a'], ['b']]);
  assert.equal(said.mock.callCount(), 1);
  assert.equal(said.mock.calls[0].arguments[1].message, 'mine');
});

test('a time is a Date or milliseconds', () => {
  const flags = flagsOf({ name: 'later', enabled: true, start_date: '2025-06-15T12:00:00Z' });
  const noon = Date.parse('2025-06-15T12:00:00Z');
  for (const [now, expected] of [[noon, true], [noon - 1, false], [noon - 0.5, false], [noon + 0.5, true], [new Date(noon), true], [new Date(noon - 1), false], [0, false]]) {
    assert.equal(flags.resolve('later', {}, now).enabled, expected);
    assert.equal(flags.explain('later', {}, now).resolution.enabled, expected);
    assert.equal(flags.resolveAll({}, now).later.enabled, expected);
    assert.equal(flags.project({}, null, now).later.enabled, expected);
  }
  const clientSnapshot = (now) => flags.clientSnapshot({}, null, now);
  for (const ask of [(now) => flags.resolve('later', {}, now), (now) => flags.resolveAll({}, now), (now) => flags.explain('later', {}, now), (now) => flags.project({}, null, now), ...(build.clientSnapshots ? [clientSnapshot] : [])]) {
    assert.throws(() => ask('2025-06-15'), TypeError);
    assert.throws(() => ask(7n), TypeError);
    assert.throws(() => ask(Number.NaN), RangeError);
    assert.throws(() => ask(new Date(Number.NaN)), RangeError);
  }
});

test('without a time it is now', () => {
  const at = (distance) => new Date(Date.now() + distance).toISOString();
  const flags = flagsOf({ name: 'since', enabled: true, start_date: at(-60_000) }, { name: 'soon', enabled: true, start_date: at(60_000) });
  for (const context of [{}, new Context('u'), null]) {
    assert.deepEqual([flags.isEnabled('since', context), flags.isEnabled('soon', context)], [true, false]);
    assert.deepEqual([flags.value('since', context), flags.value('soon', context)], [true, false]);
    assert.deepEqual([flags.resolve('since', context).enabled, flags.project(context).soon.enabled], [true, false]);
  }
});

test('the clock is asked only for a flag whose answer depends on the time', (t) => {
  const flags = flagsOf(HALF, { name: 'since', enabled: true, start_date: '2020-01-01' });
  const context = new Context('u');
  const answers = (key) => [flags.isEnabled(key, context), flags.value(key, context), flags.resolve(key, context).reason];
  const [half, since] = [answers('half'), answers('since')];
  const clock = t.mock.method(Date, 'now', () => 2e12);
  assert.deepEqual([answers('half'), clock.mock.callCount()], [half, 0]);
  // The native engine has a clock of its own.
  assert.deepEqual([answers('since'), clock.mock.callCount()], [since, name === 'native' ? 0 : 3]);
  const inside = [];
  clock.mock.mockImplementation(() => (inside.push(answers('half')), 2e12));
  assert.deepEqual(answers('since'), since);
  assert.deepEqual(inside, inside.map(() => half), 'a clock of the app may ask about such flags');
});

test('a projection and a client snapshot hold the chosen flags, and take keys alone', () => {
  const flags = flagsOf({ name: 'a', enabled: true, client: true }, { name: 'b', enabled: true }, LAYOUT);
  assert.deepEqual(flags.project({}, ['a', 'other', 'a']), { a: { enabled: true, value: true } });
  assert.deepEqual(Object.keys(flags.project()), ['a', 'b', 'layout']);
  assert.deepEqual(flags.project({}, new Set(['layout'])).layout, { enabled: true, value: { columns: [1, 2] }, variant: 'a' });
  assert.deepEqual(flags.project({}, []), {});
  assert.deepEqual(flags.project({}, [7, null, 'b']), { b: { enabled: true, value: true } });
  assert.throws(() => flags.project({}, 'a'), TypeError);
  assert.throws(() => flags.project({}, 7), TypeError);
  if (!build.clientSnapshots) {
    assert.throws(() => new Flags().clientSnapshot(), /this build leaves client snapshots out/, 'before anything is published too');
    assert.throws(() => flags.clientSnapshot({ user: 'u' }), /this build leaves client snapshots out, expected @esclusa\/wasm\/full/);
    return;
  }
  const names = (text) => JSON.parse(text).flags.map(({ name }) => name);
  assert.deepEqual(names(flags.clientSnapshot({ user: 'u' })), ['a']);
  assert.deepEqual(names(flags.clientSnapshot({ user: 'u' }, ['b'])), []);
  const browser = new Flags();
  browser.publishSync(flags.clientSnapshot({ user: 'u' }, ['a', 'b']));
  assert.deepEqual(browser.resolve('a'), ON);
});

// The small build gives the resolution and a line, and leaves the steps out.
(build.rules ? test : () => undefined)('an explanation has its steps, the first no, and lines for people', () => {
  const flags = flagsOf({ name: 'half', enabled: true, rollout_percentage: 50, target_plans: ['PREMIUM'] });
  const { resolution, steps, firstNo, firstNoCode, text } = flags.explain('half', { user: 'user-42', plan: 'FREE' });
  assert.deepEqual(resolution, flags.resolve('half', { user: 'user-42', plan: 'FREE' }));
  if (!build.explain) {
    assert.deepEqual([steps, firstNo, firstNoCode], [[], null, null]);
    assert.match(text, /^`half` is OFF: this build leaves explanations out, expected @esclusa\/wasm\/full$/);
    return;
  }
  assert.deepEqual(steps.map(({ step, outcome }) => [step, outcome]), [['target', 'no']]);
  assert.equal(firstNo, steps[0].sentence);
  const operands = { target: 'plan', value: 'FREE', targets: ['PREMIUM'], more: 0 };
  assert.deepEqual(steps[0], { step: 'target', code: 'target', outcome: 'no', sentence: firstNo, ...operands });
  assert.equal(firstNoCode, 'target');
  assert.match(text, /^`half` is OFF for user-42: /);
});

test('two handles do not know of each other', () => {
  const [one, other] = [flagsOf({ name: 'x', enabled: true }), flagsOf({ name: 'y', enabled: true }, { name: 'x', enabled: false })];
  const context = new Context('u');
  assert.deepEqual([one.isEnabled('x', context), other.isEnabled('x', context), one.has('y')], [true, false, false]);
});
