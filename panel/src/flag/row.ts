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
function read(value: unknown): unknown {
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
  return Object.fromEntries(Object.entries(draft).filter(([name, value]) => JSON.stringify(value ?? null) !== JSON.stringify(row[name] ?? null)));
}
