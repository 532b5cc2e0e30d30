/** A copy of a context from its JSON, with the whole numbers that are not exact as numbers of JavaScript [3.9]. */

const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** The fields of a context; a whole number beyond 2^53 - 1 becomes a bigint, or a text of its digits. */
export function fieldsOf(text: string, areBigints: boolean): object {
  if (!/\d{16}/.test(text)) {
    return JSON.parse(text) as object;
  }
  // The beginning of texts that stand for numbers until the JSON is parsed; no other text begins with it.
  let mark = '#';
  while (text.includes(`"${mark}`)) {
    mark += '#';
  }
  const begin = areBigints ? mark : '';
  const marked = text.replace(TOKENS, (token) => (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${begin}${token}"` : token));
  return JSON.parse(marked, (_, value: unknown) => (areBigints && typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value)) as object;
}
