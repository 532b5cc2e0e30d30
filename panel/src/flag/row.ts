/** The row of a flag, by the names of its columns; the engine's names are found in snake_case and in camelCase. */
export type Row = { [column: string]: unknown };

/** The lists of ids and names that a flag is for. */
export const TARGETS = ['target_plans', 'target_roles', 'target_regions', 'target_companies', 'target_users'] as const;
export type Target = (typeof TARGETS)[number];

/** Fields that only the server writes. */
const OWN = ['id', 'created_at', 'updated_at', 'created_by', 'updated_by', 'metrics', 'guard_state'];

const camel = (field: string) => field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The column that a field is in; none if the table has none. */
export function columnOf(row: Row, field: string): string | undefined {
  return [field, camel(field)].find((name) => name in row);
}

export function valueOf(row: Row, field: string): unknown {
  const column = columnOf(row, field);
  return column === undefined ? null : row[column];
}

/** Every field of a row that a person may change. */
export const editable = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([name]) => !OWN.includes(name)));

/** A value that a database without JSON keeps as its text. */
export function read(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) {
    return value;
  }
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

export function listOf(row: Row, field: string): string[] {
  const value = read(valueOf(row, field));
  return Array.isArray(value) ? value.map(String) : [];
}

export interface ScheduleStep {
  at: string;
  rollout_percentage: number;
}

export function scheduleOf(row: Row): ScheduleStep[] {
  const value = read(valueOf(row, 'schedule'));
  return Array.isArray(value) ? (value as ScheduleStep[]) : [];
}

export function shareOf(row: Row): number | null {
  const value = valueOf(row, 'rollout_percentage');
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

export function textOf(row: Row, field: string): string {
  const value = valueOf(row, field);
  return typeof value === 'string' ? value : '';
}

export function isOn(row: Row): boolean {
  const value = valueOf(row, 'enabled');
  return value === true || value === 1 || value === 'true';
}

/** Whether the guard of a flag keeps it off. */
export function tripOf(row: Row): Row | null {
  const state = read(valueOf(row, 'guard_state'));
  const trip = typeof state === 'object' && state !== null ? (state as Row)['trip'] : null;
  return typeof trip === 'object' && trip !== null ? (trip as Row) : null;
}

/** The fields of a draft that differ from the row. */
export function changed(row: Row, draft: Row): Row {
  return Object.fromEntries(Object.entries(draft).filter(([name, value]) => !isSame(value, row[name])));
}

export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(read(a) ?? null) === JSON.stringify(read(b) ?? null);

/** A field of a draft: in the column that the row has it in, else by the engine's name. */
export const withField = (row: Row, field: string, value: unknown): Row => ({ ...row, [columnOf(row, field) ?? field]: value });

export const keyOf = (row: Row): string => String(valueOf(row, 'key') ?? valueOf(row, 'name') ?? '');

/** The flag with those that it refers to, which are all that its answers depend on. */
export function withReferences(rows: Row[], row: Row): Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  const found = new Map<string, Row>();
  const visit = (row: Row) => {
    if (found.has(keyOf(row))) {
      return;
    }
    found.set(keyOf(row), row);
    const prerequisites = read(valueOf(row, 'prerequisites'));
    for (const { flag } of Array.isArray(prerequisites) ? (prerequisites as { flag?: string }[]) : []) {
      const next = byKey.get(flag ?? '');
      if (next !== undefined) {
        visit(next);
      }
    }
  };
  visit(byKey.get(keyOf(row)) ?? row);
  visit(row);
  return [...found.values()];
}
