/** The environment of this process. */
import { type Variables, environment as switches } from '../../../js/src/sync/environment.js';
import type { Source } from '../../../js/src/sync/source.js';

/**
 * The environment variables that switch flags on or off: `FEATURE_X=true`, `ENABLE_X=false`, `NEXT_PUBLIC_FEATURE_X=1`,
 * or those with other prefixes; by default those of this process.
 *
 * Put it above a store with `layers`: a switch turns a flag on or off and keeps the store's targets. A flag that the
 * store does not have is on or off for everyone.
 */
export function environment(variables?: Variables | null, prefixes?: readonly string[] | null): Source {
  return switches(variables ?? process.env, prefixes);
}
