/**
 * A plain object as the JSON that the engine reads [12.4, 12.5].
 *
 * It says how values of JavaScript become values of JSON, and nothing about what a context means.
 */

const kindOf = (value: unknown): string => Object.prototype.toString.call(value);

/** The JSON of a context, or undefined if the object is none or cannot be read. A targeting key takes the place of its own. */
export function contextText(plain: unknown, targetingKey?: unknown): string | undefined {
  try {
    if (typeof plain !== 'object' || plain === null || kindOf(plain) !== '[object Object]') {
      return undefined;
    }
    const context = targetingKey === undefined ? plain : { ...fieldsOf(plain), targetingKey };
    const text: string | undefined = isSimple(context) ? JSON.stringify(context) : JSON.stringify(context, jsonable);
    return text === undefined ? undefined : wellFormed(text);
  } catch {
    // It refers to itself, is nested too deep, or reading it failed.
    return undefined;
  }
}

/** What an object has, or what its `toJSON` says that it has. */
function fieldsOf(plain: object): object {
  return hasToJSON(plain) ? (JSON.parse(contextText(plain) as string) as object) : plain;
}

const hasToJSON = (plain: object): boolean => typeof (plain as { toJSON?: unknown }).toJSON === 'function';

/** Whether it holds only what JSON has, so that it can be written without a look at each value inside. */
function isSimple(plain: object): boolean {
  if (hasToJSON(plain)) {
    // What it gives is not known yet.
    return false;
  }
  for (const name in plain) {
    const value: unknown = plain[name as keyof typeof plain];
    if (typeof value === 'object' ? value !== null && !isListOfTexts(value) : typeof value === 'bigint') {
      return false;
    }
  }
  return true;
}

function isListOfTexts(value: object): boolean {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

/** A value as JSON has it; undefined counts as missing. Dates are texts already: they have a `toJSON` of their own. */
function jsonable(this: unknown, name: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[name];
  if (typeof raw === 'bigint' || typeof value === 'bigint') {
    return Number(typeof raw === 'bigint' ? raw : value);
  }
  if (value instanceof Date) {
    // A `toJSON` gave it; the own one of a Date that cannot be told gives null.
    return value.toJSON();
  }
  if (value instanceof Set) {
    return [...(value as Set<unknown>)];
  }
  const isBytes = ArrayBuffer.isView(raw) || raw instanceof ArrayBuffer;
  return isBytes || (typeof value === 'object' && value !== null && !isReadable(value)) ? undefined : value;
}

/** Whether JSON has such an object: a Map or a RegExp would be written as `{}`. */
function isReadable(value: object): boolean {
  return Array.isArray(value) || /^\[object (?:Object|Number|String|Boolean)\]$/.test(kindOf(value));
}

/** JSON.stringify writes half a surrogate pair as an escape, which is not JSON to others. */
function wellFormed(text: string): string {
  if (!text.includes('\\ud')) {
    return text;
  }
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => (escape.startsWith('\\ud') ? '\ufffd' : escape));
}
