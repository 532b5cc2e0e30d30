/**
 * A projection in a page: written by the server, read by the browser.
 *
 * This file knows no React, so that a server component may use it. The projection travels in a `<script>` of a type
 * that no browser runs, which a strict content security policy allows without a nonce.
 */
import type { Projection } from './flags.js';

/** The id of the script element, unless you choose another. */
export const PROJECTION_ID = 'esclusa-projection';

/** Characters that JSON allows and HTML or an older JavaScript would misread, as in `</script>` and `<!--`. */
const DANGEROUS = /[<>&\u2028\u2029]/g;

/** Any JSON value as text that is safe inside every `<script>` element, be it read as JSON or as JavaScript. */
export function safeJson(value: object | string | number | boolean | null): string {
  return JSON.stringify(value).replace(
    DANGEROUS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The whole script element, for a page that is built as text. */
export function projectionScript(projection: Projection, id: string = PROJECTION_ID): string {
  if (!/^[\w-]+$/.test(id)) {
    throw new Error(`\`${id}\` can't be the id of the projection, expected letters, digits, \`_\` and \`-\``);
  }
  return `<script type="application/json" id="${id}">${safeJson(projection)}</script>`;
}

/**
 * The projection that the server wrote into this page, or undefined if there is none. Only a
 * `<script type="application/json">` is read: what else has the id, such as text that a user wrote, is not the server's.
 * One that can't be read is reported on the console and counts as none: flags must not take the page down.
 */
export function readProjection(id: string = PROJECTION_ID): Projection | undefined {
  if (typeof document === 'undefined') return undefined;
  const scripts = document.querySelectorAll('script[type="application/json"]');
  const text = [...scripts].find((script) => script.id === id)?.textContent;
  if (!text) return undefined;
  try {
    const projection: unknown = JSON.parse(text);
    if (isProjection(projection)) return projection;
    console.error(`esclusa: the projection in #${id} is unusable, expected {key: {"enabled", "value", "variant"?}}`);
  } catch (problem) {
    console.error(`esclusa: the projection in #${id} is no JSON:`, problem);
  }
  return undefined;
}

function isProjection(value: unknown): value is Projection {
  return isObject(value) && Object.values(value).every((flag) => isObject(flag) && typeof flag.enabled === 'boolean');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
