/** The body of `POST /v1/track`, read and checked (`spec/GUARD.md`, 1.1). */
import { LONGEST_MS } from './outcome.js';

/** The most that a body may have. */
export const MAX_BODY_BYTES = 16_384;
const MAX_EVENTS = 100;

/** An event of a page. */
export interface PageEvent {
  readonly event: string;
  readonly action?: string;
  readonly shown?: 'children' | 'fallback';
  readonly error?: boolean;
  readonly duration_ms?: number;
  readonly value?: number;
  readonly fields?: { readonly [field: string]: boolean | number | string };
}

/** A body that is not of its form; the message says where, what, and what was expected. */
export class BodyError extends Error {}

type Check = (value: unknown, place: string) => void;

const EVENT_FIELDS: { readonly [name: string]: Check } = {
  event: text(200),
  action: text(50),
  shown: fits('`children` or `fallback`', (value) => value === 'children' || value === 'fallback'),
  variant: text(200),
  error: fits('true or false', (value) => typeof value === 'boolean'),
  duration_ms: fits(`a number of milliseconds from 0 to ${LONGEST_MS}`, (value) => typeof value === 'number' && value >= 0 && value <= LONGEST_MS),
  value: fits('a number', (value) => Number.isFinite(value)),
  fields,
};

/** The events of a body that was parsed as JSON. Throws a `BodyError`. */
export function eventsOf(body: unknown): readonly PageEvent[] {
  const document = object(body, 'the body', ['esclusa', 'events']);
  fits('1', (value) => value === 1)(document['esclusa'], '`esclusa`');
  const { events } = document;
  if (!Array.isArray(events) || events.length === 0 || events.length > MAX_EVENTS) {
    throw new BodyError(`\`events\` is ${Array.isArray(events) ? `a list of ${events.length}` : shown(events)}, expected a list of 1 to ${MAX_EVENTS} events`);
  }
  return (events as unknown[]).map((event, at) => {
    const entries = object(event, `\`events/${at}\``, Object.keys(EVENT_FIELDS));
    text(200)(entries['event'], `\`events/${at}/event\``);
    for (const [name, value] of Object.entries(entries)) {
      (EVENT_FIELDS[name] as Check)(value, `\`events/${at}/${name}\``);
    }
    return entries as unknown as PageEvent;
  });
}

function object(value: unknown, place: string, known: readonly string[]): { [name: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BodyError(`${place} is ${shown(value)}, expected an object`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new BodyError(`${place} has the unknown field ${shown(unknown)}, expected one of ${known.join(', ')}`);
  }
  return value as { [name: string]: unknown };
}

function fits(expected: string, check: (value: unknown) => boolean): Check {
  return (value, place) => {
    if (!check(value)) {
      throw new BodyError(`${place} is ${shown(value)}, expected ${expected}`);
    }
  };
}

/** JSON Schema counts characters, not the units of UTF-16. */
function text(longest: number): Check {
  return fits(`a text of 1 to ${longest} characters`, (value) => typeof value === 'string' && value !== '' && [...value].length <= longest);
}

function fields(value: unknown, place: string): void {
  const all = Object.entries(object(value, place, Object.keys((value ?? {}) as object)));
  if (all.length > 20) {
    throw new BodyError(`${place} has ${all.length} fields, expected at most 20`);
  }
  for (const [name, one] of all) {
    text(50)(name, `a name in ${place}`);
    fits('true, false, a number or a text of at most 200 characters', isField)(one, `${place.slice(0, -1)}/${name}\``);
  }
}

const isField = (value: unknown): boolean =>
  typeof value === 'boolean' || Number.isFinite(value) || (typeof value === 'string' && [...value].length <= 200);

/** A value in a message: what a page sends may be long. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value) ? 'a list' : 'an object';
  }
  if (value === undefined) {
    return 'missing';
  }
  const written = JSON.stringify(value);
  return written.length > 50 ? `${[...written].slice(0, 40).join('')}…` : written;
}
