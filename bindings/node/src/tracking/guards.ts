/** How guards are, as data and in lines for people. */
import { inspected } from '../../../js/src/inspected.js';
import type { GuardProposal } from './proposals.js';

/** How a guarded rollout is: `waiting` for data, or `blind` if what arrives cannot be trusted. */
export type GuardState = 'waiting' | 'healthy' | 'suspicious' | 'blind' | 'tripped';

/** One metric of a guard. Units are callers, or what the flag is bucketed by. */
export interface GuardMetric {
  /** `errors`, `slow` or `slower`. */
  readonly name: string;
  readonly onBad: number;
  readonly offBad: number;
  /** The natural logarithm of the evidence that the on arm is worse; null if arms are not compared. */
  readonly logRelative: number | null;
  /** The natural logarithm of the evidence that the limit is exceeded; null without a limit. */
  readonly logLimit: number | null;
  /** How many times as bad the on arm is at most (95 %, at any time); null while nothing is excluded. */
  readonly worstCaseTimes: number | null;
}

/** The units of one arm in the epoch; estimates where there are more than 3,584. */
export interface GuardCounts {
  /** Units that reported. */
  readonly units: number;
  /** Those with a bad outcome. */
  readonly bad: number;
}

/** Why a rollout was stopped. */
export interface GuardTrip {
  readonly run: number;
  readonly epoch: number;
  readonly at: Date;
  readonly since: Date;
  readonly metric: string;
  readonly condition: 'split' | { readonly at_most_times: number } | { readonly at_most: number };
  readonly on: GuardCounts;
  readonly off: GuardCounts;
  readonly share: number | null;
  readonly logE: number;
  readonly logBar: number;
  readonly worstCaseTimes: number | null;
  /** From this anyone can compute `logE` again: `esclusa guard verify`. */
  readonly ledger: readonly unknown[];
}

/** How the guard of one flag is, in the present epoch. */
export interface GuardStatus {
  readonly flag: string;
  readonly state: GuardState;
  readonly run: number;
  readonly epoch: number;
  /** The part of the units that is on; null without arms. */
  readonly share: number | null;
  readonly onUnits: number;
  readonly offUnits: number;
  /** The natural logarithm of the evidence that the split is wrong. */
  readonly logSplit: number;
  /** The natural logarithm of the bar that evidence must reach in this epoch. */
  readonly logBar: number;
  readonly metrics: readonly GuardMetric[];
  /** Why it tripped in this process, if it did. */
  readonly trip: GuardTrip | null;
  /** For people. */
  readonly line: string;
}

/** What is wrong in the `guard` of a flag: such a guard guards nothing. */
export interface GuardProblem {
  readonly flag: string;
  readonly place: string;
  readonly problem: string;
}

interface WireMetric {
  name: string;
  on_bad: number;
  off_bad: number;
  log_relative: number | null;
  log_limit: number | null;
  worst_case_times: number | null;
}

interface WireTrip {
  run: number;
  epoch: number;
  at_ms: number;
  since_ms: number;
  metric: string;
  condition: GuardTrip['condition'];
  on: GuardTrip['on'];
  off: GuardTrip['off'];
  share: number | null;
  log_e: number;
  log_bar: number;
  worst_case_times: number | null;
  ledger: unknown[];
}

interface WireGuard {
  flag: string;
  state: GuardState;
  run: number;
  epoch: number;
  share: number | null;
  on_units: number;
  off_units: number;
  log_split: number;
  log_bar: number;
  metrics: WireMetric[];
  trip: WireTrip | null;
  line: string;
}

interface WireGuards {
  flags: WireGuard[];
  problems: GuardProblem[];
  dropped: number;
  unwatched: number;
  exposition: string;
}

/** The guards of flags at one moment. As a text it has one line for each flag, problem and count. */
export class Guards {
  /** Whether guards watch the flags. */
  readonly isOn: boolean;
  /** Why they do not; null if they do. */
  readonly offBecause: string | null;
  /** The flags that are watched, in the order of the snapshot. */
  readonly flags: readonly GuardStatus[];
  readonly problems: readonly GuardProblem[];
  /** Number of outcomes that could not be used: their duration or value is no fitting number, or the context cannot be read. */
  readonly dropped: number;
  /** Number of outcomes of events that no guard names. */
  readonly unwatched: number;
  /**
   * The numbers of the guards for Prometheus, in the format of OpenMetrics 1.0
   * (`application/openmetrics-text; version=1.0.0; charset=utf-8`): outcomes, durations, units, evidence, states and trips by
   * flag, of this process; empty if guards are off.
   */
  readonly exposition: string;
  /** The trips that are proposed to the store of the option `propose`, and what it said. */
  readonly proposals: readonly GuardProposal[];

  /** Made by `flags.guards()`. @internal */
  constructor(wire: string, offBecause: string, dropped: number, proposals: readonly GuardProposal[] = []) {
    const said = wire === '' ? undefined : (JSON.parse(wire) as WireGuards);
    this.isOn = said !== undefined;
    this.offBecause = said === undefined ? offBecause : null;
    this.flags = said?.flags.map(statusOf) ?? [];
    this.problems = said?.problems ?? [];
    this.dropped = said?.dropped ?? dropped;
    this.unwatched = said?.unwatched ?? 0;
    this.exposition = said?.exposition ?? '';
    this.proposals = proposals;
  }

  /** The lines for people. */
  get lines(): string[] {
    return [
      ...(this.offBecause === null ? [] : [`guards are off: ${this.offBecause}`]),
      ...this.flags.map(({ line }) => line),
      ...this.proposals.map(({ line }) => line),
      ...this.problems.map(({ flag, place, problem }) => `${flag}: \`${place}\`: ${problem}`),
      ...(this.unwatched === 0 ? [] : [`${this.unwatched} outcomes of events without a guard`]),
      ...(this.dropped === 0 ? [] : [`${this.dropped} outcomes dropped`]),
    ];
  }

  toString(): string {
    return this.lines.join('\n') || 'no flag is watched';
  }

  /** What the console shows of it. */
  [inspected](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return `Guards ${inspect({ ...this, exposition: undefined }, options)}`;
  }
}

function statusOf({ on_units: onUnits, off_units: offUnits, log_split: logSplit, log_bar: logBar, metrics, trip, ...rest }: WireGuard): GuardStatus {
  return { ...rest, onUnits, offUnits, logSplit, logBar, metrics: metrics.map(metricOf), trip: trip && tripOf(trip) };
}

function metricOf({ name, on_bad: onBad, off_bad: offBad, log_relative: logRelative, log_limit: logLimit, worst_case_times: worstCaseTimes }: WireMetric): GuardMetric {
  return { name, onBad, offBad, logRelative, logLimit, worstCaseTimes };
}

function tripOf({ at_ms: at, since_ms: since, log_e: logE, log_bar: logBar, worst_case_times: worstCaseTimes, ...rest }: WireTrip): GuardTrip {
  return { ...rest, at: new Date(at), since: new Date(since), logE, logBar, worstCaseTimes };
}
