/**
 * A plain object as the JSON that the engine reads [12.4, 12.5].
 *
 * It converts values of JavaScript to values of JSON, and does not know what a context means.
 */
import { warnOnce } from './context-warning.js';
import { type Path, gettersIn, isOfText, isText, textOf, wellFormed, written } from './context-value.js';

const kindOf = (value: unknown): string => Object.prototype.toString.call(value);

/** The JSON of a context; undefined if the value is not an object or cannot be read. A given targeting key replaces the object's own. */
export function contextText(plain: unknown, targetingKey?: unknown): string | undefined {
  try {
    if (typeof plain !== 'object' || plain === null || kindOf(plain) !== '[object Object]') {
      return undefined;
    }
    if (isSimple(plain) && (targetingKey === undefined || typeof targetingKey === 'string')) {
      return wellFormed(JSON.stringify(targetingKey === undefined ? plain : { ...plain, targetingKey }));
    }
    const fields: unknown = hasToJSON(plain) ? (plain as { toJSON(): unknown }).toJSON() : plain;
    if (typeof fields !== 'object' || fields === null) {
      return undefined;
    }
    return wellFormed(textOf(fields, targetingKey, { put: putField }));
  } catch {
    // It refers to itself, is nested too deep, or reading it failed.
    return undefined;
  }
}

/** A field of the context. A value other than a text, where a text is expected, becomes an object, which the engine calls unreadable [3.10]. */
function putField(name: string, value: unknown, path: Path): string | undefined {
  const { text, lost } = written(value, path, isOfText(name) || name === 'role' || name === 'roles');
  if (isOfText(name) && value !== null && value !== undefined && !isText(text)) {
    const off = name === 'plan' || name === 'region' ? '' : ', and a flag with `overrides.off` for it is off';
    warnOnce(name, value, `is no text: it counts as missing${off}`);
    return text ?? '{}';
  }
  if (lost !== undefined) {
    warnOnce(name, lost.value, `is no value of JSON: it counts as missing${text === undefined ? '' : ' there'}`);
  }
  return text;
}

const hasToJSON = (plain: object): boolean => typeof (plain as { toJSON?: unknown }).toJSON === 'function';

/** Whether it holds only values that JSON has, so that no value inside needs a check. */
function isSimple(plain: object): boolean {
  // The result of a `toJSON` is not known yet.
  if (hasToJSON(plain) || hasGetters(Object.getPrototypeOf(plain) as object | null)) {
    return false;
  }
  for (const name in plain) {
    if (!isSimpleField(name, plain[name as keyof typeof plain])) {
      return false;
    }
  }
  return true;
}

/** Whether a class has getters, which JSON would skip; checked once for each class. */
function hasGetters(prototype: object | null): boolean {
  // Every realm has an Object.prototype of its own.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) {
    return false;
  }
  let known = gettersOf.get(prototype);
  if (known === undefined) {
    known = gettersIn(prototype);
    gettersOf.set(prototype, known);
  }
  return known;
}

const gettersOf = new WeakMap<object, boolean>();

function isSimpleField(name: string, value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'undefined':
      return true;
    case 'number':
      return Number.isSafeInteger(value) || (!Number.isInteger(value) && !isOfText(name));
    case 'boolean':
      return !isOfText(name);
    case 'object':
      return value === null || (isListOfTexts(value) && !isOfText(name));
    default:
      return false;
  }
}

function isListOfTexts(value: object): boolean {
  return Array.isArray(value) && !hasToJSON(value) && value.every((element) => typeof element === 'string');
}
