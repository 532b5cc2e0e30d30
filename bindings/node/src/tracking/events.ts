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

const MOST_NAME = 50;
const MOST_TEXT = 200;
const MOST_FIELDS = 20;

type Check = (value: unknown, place: string) => void;

const EVENT_FIELDS: { readonly [name: string]: Check } = {
  event: text(MOST_TEXT),
  action: text(MOST_NAME),
  shown: fits('`children` or `fallback`', (value) => value === 'children' || value === 'fallback'),
  variant: text(MOST_TEXT),
  error: fits('true or false', (value) => typeof value === 'boolean'),
  duration_ms: fits(`a number from 0 to ${LONGEST_MS}`, (value) => typeof value === 'number' && value >= 0 && value <= LONGEST_MS),
  value: fits('a number', (value) => Number.isFinite(value)),
  fields,
};

/** The events of a body that was parsed as JSON. Throws a `BodyError`. */
export function eventsOf(body: unknown): readonly PageEvent[] {
  const { esclusa, events } = object(body, '', ['esclusa', 'events']);
  fits('1', (value) => value === 1)(esclusa, '/esclusa');
  if (!Array.isArray(events) || events.length === 0 || events.length > MAX_EVENTS) {
    throw new BodyError(`\`/events\` does not fit, expected a list of 1 to ${MAX_EVENTS} events`);
  }
  return (events as unknown[]).map((event, at) => {
    const place = `/events/${at}`;
    const entries = object(event, place, Object.keys(EVENT_FIELDS));
    if (entries['event'] === undefined) {
      throw new BodyError(`\`${place}\` has no \`event\`, expected the name of one`);
    }
    for (const [name, value] of Object.entries(entries)) {
      (EVENT_FIELDS[name] as Check)(value, `${place}/${name}`);
    }
    return entries as unknown as PageEvent;
  });
}

/** An object with these fields alone, or with any. */
function object(value: unknown, place: string, known?: readonly string[]): { [name: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BodyError(`\`${place}\` does not fit, expected an object`);
  }
  const unknown = known && Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new BodyError(`\`${place}/${shown(unknown)}\` is not a field, expected one of ${known?.join(', ')}`);
  }
  return value as { [name: string]: unknown };
}

function fits(expected: string, check: (value: unknown) => boolean): Check {
  return (value, place) => {
    if (!check(value)) {
      throw new BodyError(`\`${place}\`: ${shown(JSON.stringify(value) ?? 'nothing')} does not fit, expected ${expected}`);
    }
  };
}

/** JSON Schema counts characters, not the units of UTF-16. */
function text(longest: number): Check {
  return fits(`a text of 1 to ${longest} characters`, (value) => typeof value === 'string' && value !== '' && [...value].length <= longest);
}

function fields(value: unknown, place: string): void {
  const all = Object.entries(object(value, place));
  if (all.length > MOST_FIELDS) {
    throw new BodyError(`\`${place}\` does not fit, expected an object of at most ${MOST_FIELDS} fields`);
  }
  for (const [name, one] of all) {
    fits(`names of 1 to ${MOST_NAME} characters`, () => name !== '' && [...name].length <= MOST_NAME)(name, place);
    fits(`a boolean, a number, or a text of at most ${MOST_TEXT} characters`, isField)(one, `${place}/${name}`);
  }
}

const isField = (value: unknown): boolean =>
  typeof value === 'boolean' || Number.isFinite(value) || (typeof value === 'string' && [...value].length <= MOST_TEXT);

/** What a page sends may be long. */
const shown = (given: string): string => ([...given].length > MOST_NAME ? `${[...given].slice(0, MOST_NAME).join('')}…` : given);
