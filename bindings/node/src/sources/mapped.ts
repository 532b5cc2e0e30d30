/** A source whose rows a mapping reads. */
import type { Parameters, Stored } from '../../../js/src/parameters.js';
import { mapped as everyMapped } from '../../../js/src/sync/mapped.js';
import type { Fetch, Source } from '../../../js/src/sync/source.js';
import { type MappingLike, mappingOf } from '../mapping.js';

/**
 * The same source, whose rows a mapping reads: a `Mapping`, an object, or the path of a file, with values for its
 * parameters.
 *
 * Rows that the mapping does not fit as a whole are a failure, and the last set stays. A cached copy holds the rows as the
 * store gave them: `cached(mapped(source, mapping), path)`. Each layer has a mapping of its own:
 * `layers(environment(), mapped(source, mapping))`.
 *
 * `mapped(source, { stored: parameters })` reads by the mapping that the rows bring along, as `esclusa.watch` keeps it in
 * Postgres; what comes without one is a snapshot.
 *
 * @throws MappingError for a mapping that is wrong, and the error of the file system for a file that cannot be read.
 */
export function mapped(source: Source | Fetch, mapping: MappingLike | Stored, parameters?: Parameters): Source {
  return everyMapped(source, mappingOf(mapping), parameters);
}
