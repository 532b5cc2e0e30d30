// The vectors of spec/vectors through the public face of a JavaScript host.
//
// This module knows no file system, no process and no test runner, so it runs as it stands in Node and in a browser:
// it is given the package (`Flags`, `Context`, `SnapshotError`) and the parsed files, and gives back what holds.
import { bucketOf, hash8, unitIn } from './recipe.js';

/** In a vector as JSON, where a snapshot may be a text of its own. */
const USES_REGEX = /op\\?":\\?"matches/;
const USES_RULES = /(?:condition|rules|prerequisites|segments)\\?":/;
const NOW = '2025-06-15T12:00:00Z';

/**
 * Checks every vector.
 *
 * @param {object} host the package: `Flags`, `Context` and `SnapshotError`
 * @param {{layer: string, vectors: object[]}[]} layers the parsed files
 * @param {{regex: boolean, rules?: boolean}} build whether the build has the operator `matches`, and whether it has
 *   rules and prerequisites; the smallest build has neither
 * @returns {{passed: number, setAside: number, foreign: number, failures: string[]}} `setAside` of the passed ones use
 *   what the build leaves out, and were checked to be set aside (8.10); `foreign` ones are for other hosts or builds
 */
export function checkVectors(host, layers, { regex, rules = regex }) {
  const vectors = layers.flatMap((layer) => layer.vectors);
  const hashes = vectors.filter((vector) => 'hash' in vector).map(({ text, hash }) => ({ text, hash: BigInt(`0x${hash}`) }));
  const result = { passed: 0, setAside: 0, foreign: 0, failures: [] };
  for (const vector of vectors) {
    if (isForeign(vector, rules)) {
      result.foreign += 1;
      continue;
    }
    const leftOut = rules ? (regex ? undefined : USES_REGEX) : USES_RULES;
    try {
      if (leftOut?.test(JSON.stringify(vector)) === true) {
        checkSetAside(host, vector, rules ? 'regular expressions' : 'rules and prerequisites');
        result.setAside += 1;
      } else {
        check(host, vector, hashes);
      }
      result.passed += 1;
    } catch (problem) {
      result.failures.push(`${vector.name}: ${problem.message}`);
    }
  }
  return result;
}

/** Whether the vector is for others: trips are taken by publishers in Rust (9.11), and without rules a build reads no guard (2.2.34). */
function isForeign({ publish = [], cites }, rules) {
  return publish.some((step) => 'take_trip' in step) || (!rules && cites.includes('2.2.34'));
}

function check(host, vector, hashes) {
  if ('hash' in vector) {
    return checkHash(host, vector, hashes);
  }
  if ('bucket' in vector) {
    return same(hasBucket(host, vector.unit, vector.salt, vector.bucket), true, `bucket ${vector.bucket}`);
  }
  if ('ranges' in vector) {
    return checkRanges(host, vector);
  }
  if ('truth' in vector) {
    return checkTruth(host, vector);
  }
  const flags = new host.Flags();
  if ('snapshot' in vector) {
    flags.publishSync(JSON.stringify(vector.snapshot));
    return checkResolution(host, flags, vector);
  }
  vector.publish.forEach((step, at) => checkPublish(host, flags, step, `publish ${at}`));
  (vector.resolve ?? []).forEach((query) => checkResolution(host, flags, query));
}

/** Hashes are not public; what follows from them is: the bucket of any text in the salt of any other. */
function checkHash(host, vector, hashes) {
  const own = BigInt(`0x${vector.hash}`);
  for (const other of hashes) {
    if (other.text !== '') {
      const bucket = bucketOf(other.hash, own);
      same(hasBucket(host, other.text, vector.text, bucket), true, `\`${other.text}\` in bucket ${bucket} of this salt`);
    }
    if (vector.text !== '') {
      const bucket = bucketOf(own, other.hash);
      same(hasBucket(host, vector.text, other.text, bucket), true, `this unit in bucket ${bucket} of \`${other.text}\``);
    }
  }
}

/** The unit has this bucket: the share of all buckets below it leaves the unit out, one bucket more lets it in. */
function hasBucket(host, unit, salt, bucket) {
  const rolledOut = (name, share) => ({ name, enabled: true, salt, rollout_percentage: share / 1000 });
  const flags = published(host, [rolledOut('below', bucket), rolledOut('up to it', bucket + 1)], { strict: true });
  return !flags.isEnabled('below', { user: unit }) && flags.isEnabled('up to it', { user: unit });
}

const flagWhen = (name, when) => ({ name, enabled: true, rules: [{ key: 'r', when }] });

function published(host, snapshot, options) {
  const flags = new host.Flags();
  flags.publishSync(JSON.stringify(snapshot), options);
  return flags;
}

/** The salt of the choice of a variant (6.5) where the flag's own is empty: eight bytes, which the recipe can hash. */
const VARIANT_SALT_HASH = hash8([...'/variant'].reduceRight((word, letter) => (word << 8n) | BigInt(letter.charCodeAt(0)), 0n), 0n);
const units = new Map();

/** The first and the last unit of each range gets its variant. */
function checkRanges(host, { weights, ranges }) {
  const variants = weights.map((weight, at) => ({ key: `v${at}`, value: at, weight }));
  const flags = published(host, [{ name: 'ranges', enabled: true, salt: '', variants }], { strict: true });
  ranges.forEach(([lo, hi], at) => {
    if (lo === hi) {
      return;
    }
    for (const bucket of [lo, hi - 1]) {
      if (!units.has(bucket)) {
        units.set(bucket, unitIn(bucket, VARIANT_SALT_HASH));
      }
      same(flags.variant('ranges', { user: units.get(bucket) }), `v${at}`, `variant of bucket ${bucket}`);
    }
  });
}

/** A condition is tried as the only rule of a flag, and so is its opposite. */
function checkTruth(host, { condition, segments = [], context, truth }) {
  const flags = [flagWhen('is', condition), flagWhen('is-not', { not: condition })];
  const set = published(host, { esclusa: 1, segments, flags }, { strict: true });
  const caller = new host.Context(null, context);
  const answers = { 'true,false': 'true', 'false,true': 'false', 'false,false': 'unknown' };
  for (const who of [caller, context]) {
    const now = Date.parse(NOW);
    const got = [set.resolve('is', who, now).enabled, set.resolve('is-not', who, now).enabled];
    same(answers[got.join()] ?? 'true and false', truth, 'truth');
  }
}

function checkResolution(host, flags, { flag, context, expect, now = NOW }) {
  const time = typeof now === 'string' ? new Date(now) : now;
  const { error, ...rest } = expect;
  const expected = { ...rest, errorCode: error };
  for (const who of [new host.Context(null, context), context, host.Context.from(context)]) {
    same(flags.resolve(flag, who, time), expected, flag);
    same(flags.explain(flag, who, time).resolution, expected, `explanation of ${flag}`);
  }
  if (flags.has(flag)) {
    same(flags.resolveAll(context, time)[flag], expected, `${flag} among all`);
  }
  const absent = error === 'FLAG_NOT_FOUND' || error === 'PROVIDER_NOT_READY';
  const projected = absent ? undefined : withoutNull({ enabled: expect.enabled, value: expect.value }, expect.variant);
  same(flags.project(context, [flag], time)[flag], projected, `projection of ${flag}`);
}

const withoutNull = (projected, variant) => (variant === null ? projected : { ...projected, variant });

function checkPublish(host, flags, step, where) {
  const text = step.text ?? JSON.stringify(step.snapshot);
  let report;
  try {
    report = flags.publishSync(text, { acceptOlder: step.accept_older === true });
  } catch (problem) {
    if (!(problem instanceof host.SnapshotError)) {
      throw problem;
    }
    if ('code' in step) {
      same(problem.code, step.code, `${where}: ${problem.message}`);
    }
    return same('refused', step.outcome, `${where}: ${problem.message}`);
  }
  same(report.outcome, step.outcome, where);
  for (const name of ['added', 'removed', 'changed']) {
    if (name in step) {
      same(report[name], step[name], `${where}: ${name}`);
    }
  }
  if ('set_aside' in step) {
    same(report.setAside, step.set_aside, `${where}: set aside`);
  }
  if ('codes' in step) {
    const codes = report.violations.map(({ place, code }) => [place, code]);
    same(Object.fromEntries(codes), step.codes, `${where}: codes`);
  }
  if ('violations' in step) {
    const places = report.violations.map(({ place }) => place);
    same(places.sort(), [...step.violations].sort(), `${where}: places of ${JSON.stringify(report.violations)}`);
  }
}

/** A build that leaves a feature out sets every flag that uses it aside, says why, and the flag is off (8.10). */
function checkSetAside(host, vector, what) {
  const whens = 'condition' in vector ? [flagWhen('is', vector.condition), flagWhen('is-not', { not: vector.condition })] : [];
  const step = vector.publish?.[0] ?? {};
  const document = vector.snapshot ?? step.snapshot ?? (step.text === undefined ? { esclusa: 1, segments: vector.segments ?? [], flags: whens } : parsed(step.text));
  const flags = new host.Flags();
  let report;
  try {
    report = flags.publishSync(step.text ?? JSON.stringify(document));
  } catch (problem) {
    if (!(problem instanceof host.SnapshotError)) {
      throw problem;
    }
    return same('refused', step.outcome, problem.message);
  }
  const rows = Array.isArray(document) ? document : document.flags;
  const isUser = (flag) => (what === 'regular expressions' ? /"op":"matches"|"segment":/.test(JSON.stringify(flag)) : has(flag?.rules) || has(flag?.prerequisites));
  // A flag without a usable key, and a second one of a key, have no place among those that are set aside (8.2).
  const users = rows.filter((flag, at) => isUser(flag) && rows.findIndex((other) => other?.name === flag.name) === at && flags.has(flag.name));
  const aside = report.setAside.map(({ key }) => key);
  for (const { name } of users) {
    same(aside.includes(name), true, `${name} is set aside`);
    const { errorCode, reason, enabled } = flags.resolve(name, vector.context ?? {});
    same([enabled, errorCode === 'PARSE_ERROR' || reason === 'DISABLED'], [false, true], `${name}: ${reason} ${errorCode}`);
    same(flags.isEnabled(name, vector.context ?? {}, true), false, `${name}: the default is not used`);
  }
  const says = report.violations.filter(({ problem }) => problem.startsWith(`this build leaves ${what} out`));
  // Where the vector names violations of its own, those may come first.
  const isSound = (step.violations ?? []).length === 0;
  const isSaid = says.length > 0 || users.length === 0 || (!isSound && report.violations.length > 0);
  same(isSaid, true, `a violation that says so: ${JSON.stringify(report.violations)}`);
}

/** Whether a list holds something; one that holds nothing may be of another kind (2.2.33). */
const has = (list) => list !== undefined && list !== null && !(typeof list === 'object' ? Object.keys(list).length === 0 : /^[ \t\n\f\r]*$/.test(list));

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return { flags: [] };
  }
};

function same(got, expected, what) {
  const [left, right] = [canonical(got), canonical(expected)];
  if (left !== right) {
    throw new Error(`${what}: got ${left}, expected ${right}`);
  }
}

/** JSON with the fields of each object in order. */
function canonical(value) {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
