/** Warns of values that a context cannot use, once for each name and class [12.5]. */
import { kindOf } from './publication.js';

const warned = new Set<string>();

/** Names may come from callers, so their number is bounded. */
const MOST = 1_000;

/** Warns on the console that a field holds something that cannot be used. */
export function warnOnce(name: string, value: unknown, consequence: string): void {
  const what = whatIs(value);
  const both = `${what} ${name}`;
  if (warned.size >= MOST || warned.has(both)) {
    return;
  }
  warned.add(both);
  console.warn(`esclusa: context: \`${name}\` is ${what}, which ${consequence}`);
}

function whatIs(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'number' ? String(value) : kindOf(value);
  }
  const { constructor } = value as { constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== '' ? `an instance of \`${constructor.name}\`` : 'an object';
}
