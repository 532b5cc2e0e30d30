/** What may be shown of another program's text [11.21]. */
import { decide } from './decide.js';

/** The text in one line and of limited length, without what looks like a secret. */
export function redacted(text: string): string {
  // Half a surrogate pair becomes U+FFFD [12.5]; a longer text is cut anyway.
  const plain = text.slice(0, MAX_LENGTH).replace(/\p{Cs}/gu, '\ufffd');
  return decide({ decide: 'redacted', text: plain }) as string;
}

const MAX_LENGTH = 10_000;

/** Any thrown value in one line: its message and those of its causes. */
export function describeError(problem: unknown): string {
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
