/** The environment: switches over another source [13.9, 13.10]. */
import { engine } from '../engine.js';
import type { Violation } from '../types.js';
import { missing } from './missing.js';
import type { Source } from './source.js';

/** Variables by name: `process.env`, `import.meta.env`, or an object of your own. */
export type Variables = { readonly [name: string]: unknown };

/**
 * The environment variables that switch flags on or off: `FEATURE_X=true`, `ENABLE_X=false`, `NEXT_PUBLIC_FEATURE_X=1`,
 * or those with other prefixes.
 *
 * Put it above a store with `layers`: a switch turns a flag on or off and keeps the store's targets. A flag that the
 * store does not have is on or off for everyone.
 */
export function environment(variables: Variables, prefixes?: readonly string[] | null): Source {
  const chosen = prefixes === undefined || prefixes === null ? null : [...prefixes];
  const read = (): { snapshot: string; violations: Violation[] } => {
    const switches = engine()?.switches ?? missing('environment');
    // A bundler replaces its own variables by booleans.
    const texts = Object.entries(variables).flatMap(([name, value]) =>
      ['string', 'boolean', 'number'].includes(typeof value) ? [[name, String(value)].map(whole)] : [],
    );
    return JSON.parse(switches(JSON.stringify({ variables: Object.fromEntries(texts), prefixes: chosen })));
  };
  const said = new Set<string>();
  const speak = (): string => {
    const { snapshot, violations } = read();
    for (const { place, problem } of violations) {
      if (!said.has(place)) {
        said.add(place);
        console.warn(`esclusa: environment: ${place}: ${problem}`);
      }
    }
    return snapshot;
  };
  return { name: 'environment', fetch: speak, bootstrap: speak };
}

/** Half a surrogate pair becomes U+FFFD [12.5]. */
function whole(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}
