/**
 * Plain objects in their form for the native engine: all their texts in one, and their shape as numbers. That takes a
 * fraction of the time of JSON.
 *
 * It knows no contexts, and leaves to JSON whatever JSON would write differently.
 */
import { isOfText } from '../../js/src/context-value.js';

/** What `bindings/js/engine/src/plain_object.rs` reads. */
const [TEXT, TRUE, FALSE, NULL, NUMBER, LIST] = [0, 1, 2, 3, 4, 5] as const;

/** The size of the buffer in `raw.rs`. */
const MAX_TEXT = 1_000;
/** More words than one field or one element takes. */
const SPARE_WORDS = 4;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** Writes the shape of an object into the words; the first is their number. */
export class Shape {
  readonly #words: Uint32Array;
  /** Number of objects that were begun: a getter may evaluate flags itself, and then the words are another object's. */
  #begun = 0;

  constructor(words: Uint32Array) {
    this.#words = words;
  }

  /** The texts of an object; undefined if it holds something other than texts, lists of texts, numbers and truths. */
  textOf(plain: object): string | undefined {
    const prototype: unknown = Object.getPrototypeOf(plain);
    const { toJSON, [Symbol.toStringTag]: tag } = plain as { toJSON?: unknown; [Symbol.toStringTag]?: unknown };
    if ((prototype !== Object.prototype && prototype !== null) || toJSON !== undefined || tag !== undefined) {
      return undefined;
    }
    this.#begun += 1;
    const [words, begun] = [this.#words, this.#begun];
    const last = words.length - SPARE_WORDS;
    let [text, at] = ['', 1];
    for (const name of Object.keys(plain)) {
      const value = (plain as { [name: string]: unknown })[name];
      if (value === undefined) {
        continue;
      }
      if (at > last) {
        return undefined;
      }
      text += name;
      words[at++] = name.length;
      if (typeof value === 'string') {
        text += value;
        words[at++] = TEXT;
        words[at++] = value.length;
      } else if (value !== null && isOfText(name) && !Number.isSafeInteger(value)) {
        // Warns of a value that is not a text where one is expected.
        return undefined;
      } else if (typeof value === 'boolean') {
        words[at++] = value ? TRUE : FALSE;
      } else if (typeof value === 'number' && Number.isFinite(value)) {
        double[0] = value;
        words[at++] = NUMBER;
        words[at++] = halves[0] as number;
        words[at++] = halves[1] as number;
      } else if (value === null) {
        words[at++] = NULL;
      } else if (Array.isArray(value) && (value as { toJSON?: unknown }).toJSON === undefined) {
        const { length } = value;
        words[at++] = LIST + length;
        // By index, because a list may have an iterator of its own.
        for (let place = 0; place < length; place += 1) {
          const element = (value as unknown[])[place];
          if (typeof element !== 'string' || at > last) {
            return undefined;
          }
          text += element;
          words[at++] = element.length;
        }
      } else {
        return undefined;
      }
    }
    if (begun !== this.#begun || text.length > MAX_TEXT) {
      return undefined;
    }
    words[0] = at - 1;
    return text;
  }
}
