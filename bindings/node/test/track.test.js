// Outcomes and guards: what is counted, what is dropped, and a flag that switches itself off.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

import { Context, Flags, engine } from '@esclusa/node';
import { until } from '../../js/test/loopback.js';

const native = { skip: engine !== 'native' };
const rows = ({ run = 1, guard = { event: 'checkout', errors: {} } } = {}) => [{ name: 'crm', enabled: true, rollout_percentage: 50, guard, guard_state: { run } }];
const quiet = (t) => t.mock.method(console, 'warn', () => undefined).mock;
const folderOf = (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
/** 400 callers check out, and those who have the feature fail. */
const harm = (flags, track = (context, error) => flags.track('checkout', context, { error, durationMs: 12 })) => {
  for (let user = 0; user < 400; user += 1) {
    const context = { user: `user-${user}` };
    track(context, flags.isEnabled('crm', context));
  }
};
const isOff = (flags) => Array.from({ length: 400 }, (_, user) => flags.isEnabled('crm', { user: `user-${user}` })).every((isOn) => !isOn);

test('a feature that fails is off within two seconds, and listeners are told', native, async (t) => {
  const warned = quiet(t);
  const flags = new Flags({ guard: true });
  t.after(() => flags.free());
  flags.publishSync(rows());
  const reports = [];
  flags.onPublish((report) => reports.push(report));
  const held = flags.current();
  harm(flags);
  const began = Date.now();
  await until(() => isOff(flags));
  assert.ok(Date.now() - began < 2_000, `it took ${Date.now() - began} ms`);
  assert.deepEqual(reports.map(({ outcome, changed }) => [outcome, changed]), [['published', ['crm']]]);
  assert.match(warned.calls.map(({ arguments: said }) => said.join(' ')).join('\n'), /^esclusa: the guard of `crm` has switched it off: errors$/m);
  assert.ok(!isOff(held), 'a request goes on with the set that it holds');

  const guards = flags.guards();
  const [{ flag, state, run, metrics, trip, line }] = guards.flags;
  assert.deepEqual([guards.isOn, guards.offBecause, guards.dropped, guards.flags.length], [true, null, 0, 1]);
  assert.deepEqual([flag, state, run, metrics[0].name, metrics[0].offBad, trip.metric, trip.condition, trip.run], ['crm', 'tripped', 1, 'errors', 0, 'errors', { at_most_times: 1 }, 1]);
  assert.ok(trip.logE >= trip.logBar && trip.on.bad >= 5 && trip.ledger.length > 0 && trip.at instanceof Date && Math.abs(trip.at - Date.now()) < 60_000);
  assert.match(line, /^crm: tripped, \d+ units on and \d+ off; errors: \d+ bad on and 0 off/);
  assert.deepEqual(guards.lines, String(guards).split('\n'));
  assert.equal(guards.lines[0], line);
  assert.ok(guards.exposition.split('\n').includes('esclusa_guard_trips_total{flag="crm",metric="errors"} 1'), guards.exposition);

  flags.publishSync(rows());
  assert.ok(isOff(flags), 'the same run stays off');
  flags.publishSync(rows({ run: 2 }));
  assert.ok(!isOff(flags), 'a person has raised the run');
});

test('callers in both arms who fail alike trip nothing', native, async (t) => {
  const flags = new Flags({ guard: true });
  t.after(() => flags.free());
  flags.publishSync(rows());
  harm(flags, (context) => flags.track('checkout', context, { error: true }));
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  assert.ok(!isOff(flags));
  const [{ state, onUnits, offUnits }] = flags.guards().flags;
  assert.notEqual(state, 'tripped');
  assert.equal(onUnits + offUnits, 400);
});

test('an outcome that cannot be used is dropped and counted, and never throws', () => {
  const flags = new Flags({ guard: engine === 'native' });
  flags.publishSync(rows());
  const seen = [];
  flags.onTrack((tracked) => seen.push(tracked));
  const thrower = { get error() { throw new Error('a getter'); } };
  const bad = [
    { durationMs: Number.NaN }, { durationMs: -1 }, { durationMs: Infinity }, { durationMs: '12' }, { durationMs: 86_400_001 }, { durationMs: 5n },
    { value: Number.NaN }, { value: '4' }, { error: 1 }, { error: {} }, 'error', 7, thrower, new Proxy({}, { get() { throw new Error('a proxy'); } }),
  ];
  for (const outcome of bad) {
    assert.equal(flags.track('checkout', { user: 'u' }, outcome), undefined);
  }
  const events = [undefined, null, '', 7, {}, Symbol('event')];
  events.forEach((event) => flags.track(event, { user: 'u' }));
  const contexts = engine === 'native' ? ['user-42', 7, () => 1, new Proxy({}, { ownKeys() { throw new Error('a proxy'); } })] : [];
  contexts.forEach((context) => flags.track('checkout', context));
  assert.deepEqual([flags.guards().dropped, seen], [bad.length + events.length + contexts.length, []]);
  if (engine === 'native') {
    const [{ onUnits, offUnits }] = flags.guards().flags;
    assert.deepEqual([onUnits, offUnits], [0, 0]);
    assert.ok(flags.guards().lines.includes(`${flags.guards().dropped} outcomes dropped`));
  }

  flags.track('checkout', { user: 'u' }, { error: new Error('no'), durationMs: 0, value: 99.77, action: 'click', step: 'payment' });
  flags.track('checkout');
  assert.deepEqual(seen, [
    { event: 'checkout', context: { user: 'u' }, error: true, durationMs: 0, value: 99.77, fields: { action: 'click', step: 'payment' }, fromBrowser: false },
    { event: 'checkout', context: undefined, error: false, durationMs: null, value: null, fields: {}, fromBrowser: false },
  ]);
  flags.free();
});

test('a listener that fails stops nothing', (t) => {
  const failed = t.mock.method(console, 'error', () => undefined).mock;
  const flags = new Flags();
  const seen = [];
  flags.onTrack(() => { throw new Error('no'); });
  const remove = flags.onTrack(({ event }) => seen.push(event));
  flags.track('one');
  remove();
  flags.track('two');
  assert.deepEqual([seen, failed.callCount()], [['one'], 2]);
});

test('measuring gives what the work gives, and reports how it went', async () => {
  const flags = new Flags();
  const seen = [];
  flags.onTrack(({ event, error, durationMs }) => seen.push([event, error, durationMs >= 0 && durationMs < 5_000]));
  assert.equal(flags.measure('sync', null, () => 7), 7);
  assert.throws(() => flags.measure('throws', null, () => { throw new RangeError('no'); }), RangeError);
  assert.equal(await flags.measure('async', null, async () => 8), 8);
  await assert.rejects(flags.measure('rejects', null, async () => { throw new RangeError('no'); }), RangeError);
  assert.deepEqual(seen, [['sync', false, true], ['throws', true, true], ['async', false, true], ['rejects', true, true]]);

  const lasted = [];
  flags.onTrack(({ durationMs }) => lasted.push(durationMs));
  await flags.measure('waits', null, () => new Promise((resolve) => setTimeout(resolve, 30)));
  assert.ok(lasted[0] >= 29, `${lasted[0]} ms`);
});

test('slow answers of the on arm trip by their share', native, async (t) => {
  quiet(t);
  const flags = new Flags({ guard: true });
  t.after(() => flags.free());
  flags.publishSync(rows({ guard: { slow: { above_ms: 3_000 } } }));
  harm(flags, (context, isOn) => flags.track('crm', context, { durationMs: isOn ? 3_001 : 2_999 }));
  await until(() => isOff(flags));
  assert.equal(flags.guards().flags[0].trip.metric, 'slow');
});

test('guards that are not asked for are off, and say so; a guard with a mistake is named', (t) => {
  const flags = new Flags();
  flags.publishSync(rows());
  flags.track('checkout', { user: 'u' }, { error: true });
  assert.deepEqual(flags.guards().lines, ['guards are off: no `guard` was asked for, expected the option `guard: true` or the path of a file of trips']);
  const warned = quiet(t);
  const asked = new Flags({ guard: true });
  asked.publishSync(rows({ guard: { event: 'checkout', errors: { at_most: 7 } } }));
  if (engine === 'wasm') {
    assert.deepEqual([asked.guards().isOn, asked.guards().lines], [false, ['guards are off: they need the native engine, and this is the one in WebAssembly']]);
    assert.equal(asked.guards().exposition, '');
    assert.equal(warned.callCount(), 1);
  } else {
    assert.deepEqual(asked.guards().lines, ['crm: `guard/errors/at_most`: 7 does not fit, expected a share above 0 and below 1']);
  }
  assert.throws(() => new Flags({ guard: 7 }), { name: 'TypeError', message: '`guard` does not fit, expected true, false or the path of a file of trips' });
  asked.free();
});

test('a trip is in its file: a restart, another process and a broken file', native, async (t) => {
  const warned = quiet(t);
  const file = join(folderOf(t), 'trips.json');
  const flags = Flags.fromSource(() => JSON.stringify({ esclusa: 1, flags: rows() }), { guard: file, logger: { warn: () => undefined, info: () => undefined } });
  t.after(() => flags.free());
  await flags.ready();
  const other = new Flags({ guard: pathToFileURL(file) });
  t.after(() => other.free());
  other.publishSync(rows());
  assert.ok(!isOff(other));
  harm(flags);
  await until(() => existsSync(file));
  const document = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual([document.esclusa, document.layer, document.flags.map(({ name, trip }) => [name, trip.run, trip.metric])], [1, 'trips', [['crm', 1, 'errors']]]);
  await until(() => isOff(other));

  const program = `import { Flags } from '@esclusa/node';
    const flags = new Flags({ guard: ${JSON.stringify(file)} });
    flags.publishSync(${JSON.stringify(rows())});
    const on = Array.from({ length: 400 }, (_, user) => flags.isEnabled('crm', { user: 'user-' + user })).filter(Boolean).length;
    console.log(on, flags.guards().flags[0].state);`;
  const run = () => execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], cwd: fileURLToPath(new URL('..', import.meta.url)), timeout: 20_000 }).trim();
  assert.equal(run(), '0 tripped', 'and the guards do not keep the process alive');

  writeFileSync(file, '{"esclusa": 1, "layer": "trips", "flags": [{"name": "crm"}]}');
  assert.match(run(), /^[1-9]\d* waiting$/, 'what is broken trips nothing');
  await until(() => warned.calls.some(({ arguments: said }) => /trips\.json`: has a flag without a `name` and a `trip`$/.test(said.join(' '))));
  assert.ok(isOff(flags) && isOff(other), 'and opens nothing');
});

test('a worker that shares the flags counts for the same guards', native, async (t) => {
  quiet(t);
  const flags = new Flags({ guard: true });
  t.after(() => flags.free());
  flags.publishSync(rows());
  const program = `const { workerData } = require('node:worker_threads');
    const { Flags } = require('@esclusa/node');
    const flags = Flags.fromShared(workerData.shared);
    for (let user = workerData.begin; user < 400; user += 4) {
      const context = { user: 'user-' + user };
      flags.track('checkout', context, { error: flags.isEnabled('crm', context) });
    }
    flags.track('checkout', null, { durationMs: -1 });
    setInterval(() => undefined, 1_000);
    require('node:worker_threads').parentPort.postMessage(flags.guards().isOn);`;
  const workers = [0, 1, 2, 3].map((begin) => new Worker(program, { eval: true, workerData: { shared: flags.share(), begin } }));
  const changed = [];
  flags.onPublish((report) => changed.push(...report.changed));
  const said = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  assert.deepEqual(said, [true, true, true, true]);
  await until(() => isOff(flags));
  assert.deepEqual(changed, ['crm'], 'the thread that began is told, although others judge');
  await Promise.all(workers.map((worker) => worker.terminate()));
  assert.deepEqual([flags.guards().dropped, flags.guards().flags[0].state], [4, 'tripped']);
});

test('a worker judges, too, when the thread that began is gone', native, async (t) => {
  quiet(t);
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const { Flags } = require('@esclusa/node');
     const flags = new Flags({ guard: true });
     flags.publishSync(${JSON.stringify(rows())});
     parentPort.on('message', () => undefined);
     parentPort.postMessage(flags.share());`,
    { eval: true },
  );
  const flags = Flags.fromShared((await once(worker, 'message'))[0]);
  t.after(() => flags.free());
  await worker.terminate();
  harm(flags);
  await until(() => isOff(flags));
});

test('names of events without end take no memory without end', native, (t) => {
  const flags = new Flags({ guard: true });
  t.after(() => flags.free());
  flags.publishSync(rows());
  const context = new Context('u');
  for (let at = 0; at < 5_000; at += 1) {
    flags.track(`event-${at}`, context);
    flags.track('checkout', context);
  }
  const [{ onUnits, offUnits }] = flags.guards().flags;
  assert.deepEqual([onUnits + offUnits, flags.guards().unwatched], [1, 5_000]);
});

test('flags that are freed are not guarded any more, and new ones in their place are not judged', native, async () => {
  const flags = new Flags({ guard: true });
  flags.publishSync(rows());
  harm(flags);
  flags.free();
  flags.track('checkout', { user: 'u' });
  const others = Array.from({ length: 4 }, () => new Flags());
  others.forEach((other) => other.publishSync(rows()));
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  assert.ok(others.every((other) => !isOff(other) && !other.guards().isOn));
});
