/** Counts who has a flag before and after a draft, with the engine's own answers. It runs in a worker. */
import init, { Context, Flags, type PlainContext } from '@esclusa/wasm/full';
import type { Row } from '../flag/row.ts';

/** People who have a value of an attribute. */
export interface Tally {
  of: string;
  people: number;
  before: number;
  after: number;
  on: number;
  off: number;
}

export interface Counted {
  people: number;
  before: number;
  after: number;
  /** Who gets it and who loses it. */
  on: number;
  off: number;
  /** Who stays on with another variant. */
  variant: number;
  groups: { attribute: string; values: Tally[] }[];
  examples: { person: Row; isOn: boolean }[];
  violations: { place: string; code: string; problem?: string }[];
}

const ATTRIBUTES = ['plan', 'role', 'region', 'company'] as const;
const EXAMPLES = 3;
/** Values of an attribute that are shown. */
const SHOWN = 8;

interface Person {
  row: Row;
  context: Context;
  values: string[][];
}

let people: Person[] = [];
const [before, after] = [new Flags(), new Flags()];
let baseline = '';

export const start = (): Promise<void> => init();

const texts = (value: unknown): string[] => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]).map(String);

export function setPeople(rows: Row[]): void {
  people.forEach(({ context }) => context.free());
  people = rows.map((row) => ({
    row,
    context: Context.from(row as PlainContext),
    values: ATTRIBUTES.map((attribute) => texts(row[attribute] ?? (attribute === 'role' ? row['roles'] : undefined))),
  }));
}

/** As a table has them: columns that mean nothing to the engine are no violation. */
const snapshot = (rows: Row[]) => JSON.stringify(rows);

/** Who has the flag `key` among `rows`, and with `draft` in its place; the place is -1 for a flag that is new. */
export function count(key: string, rows: Row[], place: number, draft: Row): Counted {
  const text = snapshot(rows);
  if (text !== baseline) {
    before.publishSync(text);
    baseline = text;
  }
  const drafted = place < 0 ? [...rows, draft] : rows.with(place, draft);
  const report = after.publishSync(snapshot(drafted));
  const at = place < 0 ? rows.length : place;
  const own = `/${at}`;
  const violations = report.violations.filter(({ place }) => place === own || place.startsWith(`${own}/`));
  const sums = ATTRIBUTES.map(() => new Map<string, Tally>());
  const counted: Counted = { people: people.length, before: 0, after: 0, on: 0, off: 0, variant: 0, groups: [], examples: [], violations: violations.map((violation) => ({ ...violation, place: violation.place.slice(own.length) })) };
  for (const person of people) {
    const [had, has] = [before.isEnabled(key, person.context), after.isEnabled(key, person.context)];
    counted.before += Number(had);
    counted.after += Number(has);
    counted.on += Number(has && !had);
    counted.off += Number(had && !has);
    if (had && has && before.variant(key, person.context) !== after.variant(key, person.context)) {
      counted.variant += 1;
    }
    if (had !== has && counted.examples.filter(({ isOn }) => isOn === has).length < EXAMPLES) {
      counted.examples.push({ person: person.row, isOn: has });
    }
    person.values.forEach((values, attribute) => values.forEach((of) => add(sums[attribute] as Map<string, Tally>, of, had, has)));
  }
  counted.groups = ATTRIBUTES.map((attribute, at) => ({ attribute, values: largest(sums[at] as Map<string, Tally>) })).filter(({ values }) => values.length > 0);
  return counted;
}

function add(tallies: Map<string, Tally>, of: string, had: boolean, has: boolean): void {
  let tally = tallies.get(of);
  if (tally === undefined) {
    tally = { of, people: 0, before: 0, after: 0, on: 0, off: 0 };
    tallies.set(of, tally);
  }
  tally.people += 1;
  tally.before += Number(had);
  tally.after += Number(has);
  tally.on += Number(has && !had);
  tally.off += Number(had && !has);
}

function largest(tallies: Map<string, Tally>): Tally[] {
  const flips = ({ on, off }: Tally) => on + off;
  return [...tallies.values()].sort((a, b) => flips(b) - flips(a) || b.after - a.after || a.of.localeCompare(b.of)).slice(0, SHOWN);
}

/** How many of the people with each value of an attribute have each flag, by key. */
export function matrix(rows: Row[], attribute: string): { [key: string]: { of: string; people: number; on: number }[] } {
  const flags = new Flags();
  flags.publishSync(snapshot(rows));
  const at = ATTRIBUTES.findIndex((known) => known === attribute);
  const cells: { [key: string]: { of: string; people: number; on: number }[] } = {};
  for (const key of flags.keys()) {
    const sums = new Map<string, { of: string; people: number; on: number }>();
    for (const { context, values } of people) {
      const isOn = flags.isEnabled(key, context);
      for (const of of at < 0 ? [''] : (values[at] ?? [])) {
        const sum = sums.get(of) ?? { of, people: 0, on: 0 };
        sums.set(of, { of, people: sum.people + 1, on: sum.on + Number(isOn) });
      }
    }
    cells[key] = [...sums.values()].sort((a, b) => a.of.localeCompare(b.of));
  }
  flags.free();
  return cells;
}

/** Every problem that the engine sees in the flags, by the key of the flag that it sets aside. */
export function aside(rows: Row[]): { key: string; violations: Counted['violations'] }[] {
  const flags = new Flags();
  const { violations } = flags.publishSync(snapshot(rows));
  flags.free();
  const keys = new Map<number, Counted['violations']>();
  for (const violation of violations) {
    const at = Number(/^\/(\d+)/.exec(violation.place)?.[1] ?? -1);
    keys.set(at, [...(keys.get(at) ?? []), { ...violation, place: violation.place.replace(/^\/\d+/, '') }]);
  }
  return [...keys].map(([at, violations]) => ({ key: keyOf(rows[at] ?? {}), violations }));
}

const keyOf = (row: Row) => String(row['key'] ?? row['name'] ?? '');
