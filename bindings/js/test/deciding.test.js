// The vectors of spec/vectors/sync: what every host decides alike while it stays fresh, by the code that asks stores.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';

import { build, host } from './hosts.js';
import { inside } from './inside.js';

const folder = new URL('../../../spec/vectors/sync/', import.meta.url);
const vectors = (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')).vectors;
const skip = build.sync ? false : 'this build keeps nothing fresh';
// The suite of `@esclusa/wasm` does not build the other package.
mkdirSync(new URL('../../node/dist/', import.meta.url), { recursive: true });
const parts = build.sync ? await inside() : {};

/** Options in the words of JavaScript. */
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const options = ({ decide, jitter_percent: jitter, ...rest }) => ({
  ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [camel(name), value])),
  ...(jitter === undefined ? {} : { jitter: jitter / 100 }),
});

/** What JavaScript says that the core says of its own fields. */
const inJavaScript = (error) => (error.includes('jitter') ? /`jitter` is 1.01, expected 0 to 1/ : { name: 'RangeError', message: camel(error) });

/** An answer over HTTP with these headers: what becomes of it. */
async function overHttp({ status, content_range: range }) {
  const asked = [];
  const fetch = async (_, { headers }) => {
    asked.push(new Headers(headers).get('prefer'));
    return new Response('[{"name": "a", "enabled": true}]', { status, headers: range === null ? {} : { 'content-range': range } });
  };
  try {
    await parts.http('http://127.0.0.1:9/', { fetch }).fetch({ etag: null, inFull: true, signal: new AbortController().signal });
    return asked.at(-1) === 'count=exact' ? 'unknown' : 'all';
  } catch (problem) {
    return { error: problem.message };
  }
}

/** How each decision is taken where it matters. */
const TAKEN = {
  policy(question, answer) {
    if (answer.error !== undefined) {
      return assert.throws(() => parts.policyText(options(question)), inJavaScript(answer.error));
    }
    const { seed, ...policy } = JSON.parse(parts.policyText(options(question)));
    assert.deepEqual(policy, answer);
  },
  retry_after({ header, date, now_ms: now }, answer) {
    const real = Date.now;
    Date.now = () => now;
    try {
      assert.equal(parts.retryAfterMs(new Headers({ 'retry-after': header, ...(date === null ? {} : { date }) })), answer);
    } finally {
      Date.now = real;
    }
  },
  async rows(question, answer) {
    assert.deepEqual(await overHttp(question), answer);
  },
  async no_rows({ text }, answer) {
    const asked = parts.ask({ name: 'text', fetch: () => text }, { allowEmpty: false });
    await (answer ? assert.rejects(asked, /the answer has no rows/) : asked);
    await parts.ask({ name: 'text', fetch: () => text }, { allowEmpty: true });
  },
  // `cached` and `layers` ask just this.
  save: () => undefined,
  layers: () => undefined,
  redacted({ text }, answer) {
    assert.equal(parts.redacted(text), answer);
  },
  status_line({ age_ms: ageMs, last_error: last, ...status }, answer) {
    assert.equal(parts.line({ ...status, ageMs, lastError: last && { error: last.error, at: new Date(last.at_ms) }, polled: null }), answer);
  },
  understood({ source, reading: { rows_left_out: rowsLeftOut, ...reading } }, { is_warning: isWarning, text }) {
    const columns = reading.columns.map(({ read_as: readAs, not_empty: notEmpty, ...column }) => ({ ...column, readAs, notEmpty }));
    assert.deepEqual(parts.understood(source, { ...reading, columns, rowsLeftOut }), { isWarning, text });
  },
  events({ pieces }, answer) {
    const reader = new parts.EventReader();
    assert.deepEqual(pieces.map((piece) => reader.read(new TextEncoder().encode(piece))), answer);
    reader.end();
  },
};

test('every file of vectors is run here', { skip }, () => {
  assert.deepEqual(readdirSync(folder).sort(), ['decisions.json', 'environment.json', 'layers.json', 'protocol.json']);
  assert.ok(vectors('decisions.json').length >= 60 && vectors('protocol.json').length >= 7);
});

for (const { name, question, answer } of vectors('decisions.json')) {
  test(`${question.decide}: ${name}`, { skip }, async () => {
    assert.deepEqual(parts.decide(question), answer);
    await TAKEN[question.decide](question, answer);
  });
}

for (const { name, policy, steps } of vectors('protocol.json')) {
  test(`protocol: ${name}`, { skip }, () => {
    const protocol = new parts.Protocol(JSON.stringify(policy));
    for (const [{ now_ms: now, ...event }, expected] of steps) {
      protocol.now = () => now;
      const result = event.event === 'status' ? protocol.status() : protocol.step(event);
      assert.ok(expected !== undefined);
      if (expected !== null) {
        assert.deepEqual(result, expected, JSON.stringify(event));
      }
    }
  });
}

const withoutLayers = build.rules ? false : 'this build has no layers';
const REQUEST = { etag: null, revision: null, inFull: true, allowEmpty: true, signal: new AbortController().signal };

/** A layer of a vector as a source: a text as it is, anything else as JSON; one that has said nothing is away. */
const sourceOf = (layer, at) => ({
  name: `layer ${at}`,
  fetch() {
    if (layer === null) {
      throw new Error('away');
    }
    return typeof layer === 'string' ? layer : JSON.stringify(layer);
  },
});

for (const { name, layers, whole, refused } of vectors('layers.json')) {
  test(`layers: ${name}`, { skip: withoutLayers }, async () => {
    const answer = await host.layers(...layers.map(sourceOf)).fetch(REQUEST).catch((failure) => failure);
    const isSilent = layers.includes(null);
    assert.equal(answer instanceof Error, isSilent || refused !== undefined, String(answer));
    if (refused !== undefined) {
      const failed = [...answer.message.matchAll(/layer (\d+): (?!away)/g)].map(([, at]) => Number(at));
      return assert.deepEqual(failed, [refused], answer.message);
    }
    const bytes = isSilent ? answer.instead : answer.bytes;
    assert.deepEqual(bytes && JSON.parse(new TextDecoder().decode(bytes)), whole);
  });
}

for (const { name, variables, prefixes, switches, violations } of vectors('environment.json')) {
  test(`environment: ${name}`, { skip: withoutLayers }, (t) => {
    const warned = t.mock.method(console, 'warn', () => undefined);
    const { flags } = JSON.parse(host.environment(variables, prefixes).fetch(REQUEST));
    assert.deepEqual(Object.fromEntries(flags.map((flag) => [flag.name, flag.enabled])), switches);
    const places = warned.mock.calls.map(({ arguments: [text] }) => /^esclusa: environment: ([^:]*): /.exec(text)[1]);
    assert.deepEqual(places, violations);
  });
}
