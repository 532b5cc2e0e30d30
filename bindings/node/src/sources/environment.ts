/** The environment of this process. */
import { type Variables, environment as switches } from '../../../js/src/sync/environment.js';
import type { Source } from '../../../js/src/sync/source.js';

/**
 * The variables that switch flags on or off: `FEATURE_X=true`, `ENABLE_X=false`, `NEXT_PUBLIC_FEATURE_X=1`, or those
 * whose names begin with other prefixes; those of this process unless others are given.
 *
 * Lay it over a store with `layers`: a switch turns a flag on or off and leaves whom the store targets as it is. A flag
 * that the store does not have is on or off for everybody.
 */
export function environment(variables?: Variables | null, prefixes?: readonly string[] | null): Source {
  return switches(variables ?? process.env, prefixes);
}
