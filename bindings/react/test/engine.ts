/** The real engine, with a few small flags. */
import init, { Flags } from '@esclusa/wasm';

await init();

/** Rows of the users' own table, as they are published. */
export interface Row {
  name: string;
  enabled?: boolean;
  rollout_percentage?: number;
  target_plans?: string[];
  target_roles?: string[];
  target_companies?: string[];
  start_date?: string;
  end_date?: string;
  variants?: { key: string; value: unknown; weight: number }[];
  client?: boolean;
}

/** What the tests begin with. */
export const ROWS: readonly Row[] = [
  { name: 'everybody', enabled: true },
  { name: 'nobody', enabled: false },
  { name: 'premium', enabled: true, target_plans: ['PREMIUM'] },
  {
    name: 'layout',
    enabled: true,
    variants: [
      { key: 'compact', value: { columns: 2 }, weight: 1 },
      { key: 'wide', value: { columns: 4 }, weight: 0 },
    ],
  },
];

/** The rows with some of them changed. */
export function changed(...changes: Row[]): Row[] {
  const rest = ROWS.filter((row) => !changes.some((change) => change.name === row.name));
  return [...rest, ...changes];
}

/** A `Flags` with these rows published; none if there are no rows. */
export function engine(rows?: readonly Row[]): Flags {
  const flags = new Flags();
  if (rows) publish(flags, rows);
  return flags;
}

/** Publishes rows at once. */
export function publish(flags: Flags, rows: readonly Row[]): void {
  flags.publishSync(JSON.stringify(rows));
}
