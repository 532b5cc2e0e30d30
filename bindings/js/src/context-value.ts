/**
 * Values of JavaScript as JSON [3.9, 3.10, 12.5]: exact whole numbers, dates, maps and sets, objects of classes, and
 * objects that are ids.
 *
 * It knows neither flags nor the log.
 */

/** The JSON of a value, undefined if it is missing; and the first value in it that JSON does not have. */
export interface Written {
  readonly text: string | undefined;
  readonly lost: { readonly value: unknown } | undefined;
}

/** The objects around a value, and the number of values written so far. */
export type Path = object[] & { count?: number };

const MISSING: Written = { text: undefined, lost: undefined };
/** The limit of a list in a snapshot: an iterator may have no end. */
const MOST_ELEMENTS = 1_000_000;
/** A list may occur in many places: thirty lists, each twice in the next, are a thousand million values. */
const MOST_VALUES = 1_000_000;
const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n];

/** Whether a field of a context holds one text. */
export const isOfText = (name: string): boolean =>
  name === 'user' || name === 'targetingKey' || name === 'company' || name === 'plan' || name === 'region';

/** Whether JSON is a text or a whole number. */
export const isText = (json: string | undefined): boolean => json !== undefined && /^(?:"|-?\d+$)/.test(json);

const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** The fields of an object as JSON, each written by the caller's function. A given targeting key replaces the object's own. */
export function textOf(
  plain: object,
  targetingKey: unknown,
  { put }: { put(name: string, value: unknown, path: Path): string | undefined },
): string {
  const fields: string[] = [];
  const path: Path = [plain];
  const add = (name: string, value: unknown): void => {
    const text = put(name, value, path);
    if (text !== undefined) {
      fields.push(`${JSON.stringify(name)}:${text}`);
    }
  };
  for (const [name, value] of entriesOf(plain)) {
    if (targetingKey === undefined || name !== 'targetingKey') {
      add(name, value);
    }
  }
  if (targetingKey !== undefined) {
    add('targetingKey', targetingKey);
  }
  return `{${fields.join()}}`;
}

/** A value as JSON; where an id is expected, an object is an id by its own `toHexString` or `toString`. */
export function written(value: unknown, path: Path, isId = false): Written {
  path.count = (path.count ?? 0) + 1;
  if (path.count > MOST_VALUES) {
    throw new RangeError(`there are more than ${MOST_VALUES} values`);
  }
  switch (typeof value) {
    case 'string':
      return said(JSON.stringify(value));
    case 'boolean':
      return said(String(value));
    case 'number':
      return numberText(value);
    case 'bigint':
      return value >= LEAST && value <= MOST ? wholeText(value, isId) : numberText(Number(value));
    case 'undefined':
      return MISSING;
    case 'object':
      return value === null ? said('null') : objectText(value, path, isId);
    default:
      return lostOf(value);
  }
}

/** An exact whole number. As an id it is a text, so that a copy of the context that JSON.parse reads has it too. */
const wholeText = (value: bigint, isId: boolean): Written =>
  said(isId && !Number.isSafeInteger(Number(value)) ? `"${value}"` : String(value));

const said = (text: string): Written => ({ text, lost: undefined });
const lostOf = (value: unknown): Written => ({ text: undefined, lost: { value } });

/** A number beyond 2^53 - 1 is not exact, so it is written with a fraction: it is not an integer [3.9]. */
function numberText(value: number): Written {
  if (!Number.isFinite(value)) {
    return lostOf(value);
  }
  const text = JSON.stringify(value);
  return said(Number.isInteger(value) && !Number.isSafeInteger(value) && /\d$/.test(text) && !text.includes('e') ? `${text}.0` : text);
}

function objectText(value: object, path: Path, isId: boolean): Written {
  if (path.includes(value)) {
    throw new TypeError('an object refers to itself');
  }
  const kind = kindOf(value);
  if (ArrayBuffer.isView(value) || kind === 'ArrayBuffer' || kind === 'SharedArrayBuffer') {
    return lostOf(value);
  }
  const id = isId && kind === 'Object' ? idOf(value) : undefined;
  if (id !== undefined) {
    return said(JSON.stringify(id));
  }
  path.push(value);
  try {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      const given: unknown = toJSON.call(value, '');
      return typeof given === 'object' && given !== null ? kindText(given, kindOf(given), path, isId) : fallback(written(given, path), value);
    }
    return kindText(value, kind, path, isId);
  } finally {
    path.pop();
  }
}

/** The result of a `toJSON`, or a lost object if there is none, as for an invalid Date. */
const fallback = (given: Written, value: object): Written =>
  given.text === undefined || given.text === 'null' ? lostOf(value) : given;

function kindText(value: object, kind: string, path: Path, isId: boolean): Written {
  if (Array.isArray(value)) {
    // By index, because a list may have an iterator of its own.
    return listText(Array.from({ length: value.length }, (_, at) => (value as unknown[])[at]), path, isId);
  }
  switch (kind) {
    case 'String':
      return written(String.prototype.valueOf.call(value), path);
    case 'Number':
      return written(Number.prototype.valueOf.call(value), path);
    case 'Boolean':
      return written(Boolean.prototype.valueOf.call(value), path);
    case 'BigInt':
      return written(BigInt.prototype.valueOf.call(value), path, isId);
    case 'Date':
      return fallback(written(Date.prototype.toJSON.call(value, ''), path), value);
    case 'Set': {
      const elements: unknown[] = [];
      Set.prototype.forEach.call(value, (element) => elements.push(element));
      return listText(elements, path, isId);
    }
    case 'Map': {
      const entries: [string, unknown][] = [];
      Map.prototype.forEach.call(value, (field, name) => typeof name === 'string' && entries.push([name, field]));
      return fieldsText(entries, path);
    }
    default:
      return otherText(value, kind, path, isId);
  }
}

/** An iterable is a list; an object of a class has fields. */
function otherText(value: object, kind: string, path: Path, isId: boolean): Written {
  if (typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function') {
    const elements: unknown[] = [];
    for (const element of value as Iterable<unknown>) {
      if (elements.push(element) > MOST_ELEMENTS) {
        throw new TypeError('a list is too long');
      }
    }
    return listText(elements, path, isId);
  }
  return kind === 'Object' ? fieldsText(entriesOf(value), path) : lostOf(value);
}

function listText(elements: readonly unknown[], path: Path, isId: boolean): Written {
  const all = elements.map((element) => written(element, path, isId));
  return { text: `[${all.map(({ text }) => text ?? 'null').join()}]`, lost: all.find(({ lost }) => lost !== undefined)?.lost };
}

function fieldsText(entries: readonly (readonly [string, unknown])[], path: Path): Written {
  const all = entries.map(([name, value]) => [name, written(value, path)] as const);
  const fields = all.flatMap(([name, { text }]) => (text === undefined ? [] : `${JSON.stringify(name)}:${text}`));
  return { text: `{${fields.join()}}`, lost: all.find(([, { lost }]) => lost !== undefined)?.[1].lost };
}

/** The entries of an object, and the values of its class's getters. */
export function entriesOf(object: object): [string, unknown][] {
  const names = new Set(Object.keys(object));
  for (const prototype of classesOf(object)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (get !== undefined) {
        names.add(name);
      }
    }
  }
  return [...names].map((name) => [name, (object as { [name: string]: unknown })[name]]);
}

/** Whether a prototype, or one of its own prototypes, has getters; Object.prototype is skipped. */
export function gettersIn(prototype: object): boolean {
  const all = [prototype, ...classesOf(prototype)];
  return all.some((one) => Object.values(Object.getOwnPropertyDescriptors(one)).some(({ get }) => get !== undefined));
}

/** The prototypes of an object without Object.prototype. */
function classesOf(object: object): object[] {
  const classes: object[] = [];
  let prototype = Object.getPrototypeOf(object) as object | null;
  while (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    classes.push(prototype);
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
  return classes;
}

/** The text by which an object is an id, if it or its class defines one. */
function idOf(object: object): string | undefined {
  const own = (name: string): boolean => [object, ...classesOf(object)].some((one) => Object.hasOwn(one, name));
  for (const name of ['toHexString', 'toString']) {
    const method = own(name) ? (object as { [name: string]: unknown })[name] : undefined;
    const text: unknown = typeof method === 'function' ? method.call(object) : undefined;
    if (typeof text === 'string') {
      return text;
    }
  }
  return undefined;
}

/** JSON.stringify writes half a surrogate pair as an escape, which other readers refuse. */
export function wellFormed(text: string): string {
  if (!text.includes('\\ud')) {
    return text;
  }
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => (escape.startsWith('\\ud') ? '\ufffd' : escape));
}
