/** What may be shown of a text that somebody else wrote: addresses without passwords and queries. */

const MAX_LENGTH = 500;
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // What stands before an @ in an address, and everything behind its path.
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s'"<>]*@/gi, '$1'],
  [/([a-z][a-z0-9+.-]*:\/\/[^\s'"<>?#]*)[?#][^\s'"<>]*/gi, '$1'],
  // The query of an address whose host stands elsewhere.
  [/([?&][\w.-]+=)[^\s&'"<>)]*/g, '$1***'],
  // Connection strings of keywords, and headers.
  [/(\b\w*(?:password|passwd|pwd|secret|token|api[-_]?key|authorization|cookie)\w*['"]?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?(?:'[^']*'|"[^"]*"|\S+)/gi, '$1***'],
  [/\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi, '$1***'],
];

/** The text in one line, without what looks like a secret, and not too long. */
export function redacted(text: string): string {
  // Nobody reads further, and patterns take their time over what is long.
  let line = text.slice(0, 4 * MAX_LENGTH).replace(/\s+/g, ' ').trim();
  for (const [pattern, instead] of SECRETS) {
    line = line.replace(pattern, instead);
  }
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH - 1)}…`;
}

/** Whatever was thrown, in one line: its message and those of its causes. */
export function told(problem: unknown): string {
  try {
    const texts: string[] = [];
    for (let one = problem; one !== undefined && one !== null && texts.length < 4; one = (one as { cause?: unknown }).cause) {
      const { message, code } = one as { message?: unknown; code?: unknown };
      const text = typeof message === 'string' && message !== '' ? message : String(code ?? (one instanceof Error ? one.name : one));
      // Many errors already repeat their cause.
      if (!texts.some((said) => said.endsWith(text))) {
        texts.push(text);
      }
    }
    return redacted(texts.join(': ')) || `failed with ${String(problem)}`;
  } catch {
    return 'failed with something that cannot be read';
  }
}
