// A way to ask, and the callers to ask about. It knows neither Node nor the browser: both run it.
import { expected } from './population.js';

const ROUND_MS = 20;
const WARM_UP_MS = 50;
/** So often must a function run before the compiler has settled, however slow it is: each caller once. */
const WARM_UP_EVALUATIONS = 10_000;
const BATCH = 100;
/** Whose answers are checked, and for how long at most. */
const CHECKED = 2_000;
const CHECKING_MS = 2_000;
/** The maximum relative distance between the share of callers who are on and the expected one; for a few callers, in standard deviations. */
const MARGIN = 0.3;
const DEVIATIONS = 4;
const WORKLOADS = new Map(
  ['built', 'prebuilt'].flatMap((kind) => ['match', 'mix'].map((crowd) => [`w1-${kind}-${crowd}`, { kind, crowd }])),
);

/** The contender cannot do this workload, for the reason given. */
export class Unable extends Error {}

/** The answers are not those that the flag asks for. */
class Wrong extends Error {}

/**
 * What a contender does. `ask` answers for what `context` gave, and `built` for a caller whose context is built for that
 * one answer; both may give promises if `waits`. Whose answers mean nothing is not `decides`.
 *
 * @typedef {{ context: (caller: import('./population.js').Caller) => unknown, ask: (context: any) => unknown,
 *   built: (caller: import('./population.js').Caller) => unknown, waits?: boolean, decides?: boolean,
 *   close?: () => unknown }} Contender
 */

/** Every workload of one contender, each set up when it is asked for the first time. */
export class Workloads {
  #contender;
  #population;
  /** @type {Map<string, Workload>} */
  #ready = new Map();

  /**
   * @param {Contender} contender
   * @param {import('./population.js').Population} population
   */
  constructor(contender, population) {
    this.#contender = contender;
    this.#population = population;
  }

  /**
   * The answer to the name of a workload: an object that becomes a line of JSON.
   *
   * @param {string} name
   */
  async answer(name) {
    try {
      const workload = this.#ready.get(name) ?? (await this.#setUp(name));
      const { decides = true } = this.#contender;
      const round = await workload.round(ROUND_MS);
      return decides ? round : { ...round, yes: null };
    } catch (problem) {
      return problem instanceof Unable ? { skip: problem.message } : { error: problem instanceof Wrong ? problem.message : String(problem) };
    }
  }

  /** @param {string} name */
  async #setUp(name) {
    const { kind, crowd } = WORKLOADS.get(name) ?? {};
    if (kind === undefined) {
      throw new Unable('not asked in JavaScript');
    }
    const { waits = false, decides = true } = this.#contender;
    const callers = this.#population[crowd];
    const workload =
      kind === 'built'
        ? new Workload(this.#contender.built, callers, waits)
        : new Workload(this.#contender.ask, callers.map(this.#contender.context), waits);
    if (decides) {
      await workload.check(expected(this.#population, crowd));
    }
    await workload.round(WARM_UP_MS, WARM_UP_EVALUATIONS);
    this.#ready.set(name, workload);
    return workload;
  }
}

class Workload {
  #loop;
  #callers;
  #next = 0;

  constructor(ask, callers, waits) {
    this.#loop = loop(ask, waits);
    this.#callers = callers;
  }

  /** One that answers fast and wrong is no contender. */
  async check(expected) {
    let [yes, evaluations] = [0, 0];
    const begin = performance.now();
    while (evaluations < CHECKED && performance.now() - begin < CHECKING_MS) {
      yes += await this.#loop(this.#callers, evaluations, evaluations + BATCH);
      evaluations += BATCH;
    }
    const deviation = Math.sqrt((expected * (1 - expected)) / evaluations);
    const [share, margin] = [yes / evaluations, Math.max(MARGIN * expected, DEVIATIONS * deviation)];
    if (Math.abs(share - expected) > margin) {
      const [was, should, by] = [share, expected, margin].map((number) => number.toFixed(3));
      throw new Wrong(`${was} of the answers are yes, expected ${should} ± ${by}`);
    }
  }

  /** Asks a hundred times, again and again, until the time is over, and says what came of it. */
  async round(ms, least = BATCH) {
    let [yes, evaluations, taken] = [0, 0, 0];
    const begin = performance.now();
    do {
      const to = this.#next + BATCH;
      const counted = this.#loop(this.#callers, this.#next, to);
      yes += typeof counted === 'number' ? counted : await counted;
      evaluations += BATCH;
      this.#next = to % this.#callers.length;
      taken = performance.now() - begin;
    } while (taken < ms || evaluations < least);
    return { ns: (taken * 1e6) / evaluations, evaluations, yes: yes / evaluations };
  }
}

/**
 * The loop over callers, compiled anew for each workload: one function for all would be optimized for whichever way to
 * ask came first, and pay for telling them apart ever after.
 */
function loop(ask, waits) {
  const [kind, wait] = waits ? ['async ', 'await '] : ['', ''];
  return new Function(
    'ask',
    `return ${kind}function (callers, from, to) {
      let yes = 0;
      for (let at = from; at < to; at++) {
        if (${wait}ask(callers[at]) === true) yes++;
      }
      return yes;
    };`,
  )(ask);
}
