/// <reference lib="esnext.disposable" preserve="true" />
/** The caller, prepared once and used for many answers. */
import { fieldsOf } from './context-copy.js';
import { contextText } from './context-text.js';
import { isText, written } from './context-value.js';
import { type Engine, NOBODY, SCRATCH, engine } from './engine.js';
import { inspected } from './inspected.js';
import type { ContextFields, PlainContext } from './types.js';

/** The context cannot be used; the answer is `INVALID_CONTEXT`. */
export const BROKEN = -1;
/** The engine does not hold it. The engine never gives this number: it belongs to a fixed context. */
const UNBUILT = 0;

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

const unused = new FinalizationRegistry<number>((number) => engine()?.forget(number));

/**
 * Everything the app knows about the caller [3]: a copy, prepared once, for any number of answers.
 *
 * ```js
 * const context = new Context('user-42', { company: 'acme', plan: 'PREMIUM', roles: ['ADMIN'], region: 'CO' });
 * ```
 */
export class Context {
  readonly #text: string;
  #number = UNBUILT;

  /**
   * A context with this targeting key, the id of the user unless the app buckets by something else, and these fields.
   *
   * @throws TypeError if the fields are no plain object, or cannot be read.
   */
  constructor(targetingKey?: string | number | bigint | object | null, fields?: PlainContext | ContextFields | null) {
    if (isFields(targetingKey)) {
      throw new TypeError('the targeting key is an object, expected a string; Context.from() reads the fields of a plain object');
    }
    const text = contextText(fields ?? {}, targetingKey ?? undefined);
    if (text === undefined) {
      throw new TypeError("a context cannot be read, expected a plain object such as { user: 'user-42', company: 'acme' }");
    }
    this.#text = text;
  }

  /**
   * The context that a plain object describes.
   *
   * @throws TypeError if it is no plain object, or cannot be read.
   */
  static from(plain?: PlainContext | ContextFields | Context | null): Context {
    return Context.is(plain) ? plain : new Context(null, plain);
  }

  /** Whether it is a context: unlike `instanceof` this asks no proxy, and so never throws. @internal */
  static is(value: unknown): value is Context {
    return typeof value === 'object' && value !== null && #number in value;
  }

  /**
   * The context as a plain object: a copy. A whole number beyond 2^53 - 1 is a bigint in it, and a text where
   * `JSON.stringify` asks, which cannot write bigints.
   */
  toJSON(name?: string): PlainContext {
    return fieldsOf(this.#text, name === undefined) as PlainContext;
  }

  /** What the console shows of it. */
  [inspected](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return `Context ${inspect(this.toJSON(), options)}`;
  }

  /**
   * Gives back what the engine holds of it, without waiting for the garbage collector. It may still be used, and is
   * then prepared anew.
   */
  free(): void {
    if (this.#number > NOBODY) {
      engine()?.forget(this.#number);
      unused.unregister(this);
    }
    this.#number = UNBUILT;
  }

  /** The same as `free()`, for `using`. */
  [dispose](): void {
    this.free();
  }

  /** Its number in the engine, or `BROKEN`. @internal */
  static numberOf(context: Context, engine: Engine): number {
    return context.#number === UNBUILT ? context.#build(engine) : context.#number;
  }

  #build(engine: Engine): number {
    const number = engine.context(this.#text);
    this.#number = number > NOBODY ? number : BROKEN;
    if (number > NOBODY) {
      unused.register(this, number, this);
    }
    return this.#number;
  }
}

/** Whether somebody gave fields in the place of a targeting key. */
function isFields(targetingKey: unknown): boolean {
  if (typeof targetingKey !== 'object' || targetingKey === null) {
    return false;
  }
  return Object.prototype.toString.call(targetingKey) === '[object Map]' || !isText(written(targetingKey, [], true).text);
}

/** The number of whatever was given as a context, or `BROKEN`. The number of a plain object is good for one call. */
export function numberOf(context: unknown, engine: Engine): number {
  if (Context.is(context)) {
    return Context.numberOf(context, engine);
  }
  if (context === undefined || context === null) {
    return NOBODY;
  }
  if (engine.fields !== undefined && isPut(engine.fields, context)) {
    return SCRATCH;
  }
  const text = contextText(context);
  return text !== undefined && engine.scratch(text) ? SCRATCH : BROKEN;
}

function isPut(fields: NonNullable<Engine['fields']>, context: unknown): boolean {
  try {
    return typeof context === 'object' && context !== null && fields(context);
  } catch {
    // It cannot be read, which JSON finds out once more.
    return false;
  }
}
