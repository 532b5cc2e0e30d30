/** A source whose rows a mapping reads. */
import { engine } from '../engine.js';
import { Mapping, type MappingLike, noteStored } from '../mapping.js';
import { type Parameters, type Stored, isStored, stored } from '../parameters.js';
import { bytesOf } from '../publication.js';
import { polledOf, sourceOf } from './asking.js';
import { missing } from './missing.js';
import { Failure, type Fetch, type Source } from './source.js';

/**
 * The same source, whose rows a mapping reads, with values for its parameters.
 *
 * Rows that the mapping does not fit as a whole are a failure, and the last set stays. A cached copy holds the rows as the
 * store gave them: `cached(mapped(source, mapping), path)`. Each layer has a mapping of its own:
 * `layers(environment(), mapped(source, mapping))`.
 *
 * `mapped(source, { stored: parameters })` reads by the mapping that the rows bring along, as `esclusa.watch` keeps it in
 * Postgres; what comes without one is a snapshot.
 *
 * @throws MappingError for a mapping that is wrong.
 */
export function mapped(source: Source | Fetch, mapping: MappingLike | Stored, parameters?: Parameters): Source {
  const inner = sourceOf(source);
  const own = isStored(mapping) ? stored({ ...mapping.stored, ...parameters }) : Mapping.of(mapping);
  const made: Source = {
    // Computed on each access: the name of layers is known later.
    get name() {
      return inner.name;
    },
    get polled() {
      return polledOf(inner);
    },
    // A copy of its own, which records whether its rows came with a mapping.
    translation: isStored(own) ? own : own.with(parameters ?? {}),
    fetch: (request) => inner.fetch(request),
    bootstrap: () => inner.bootstrap?.(),
  };
  if (inner.watch !== undefined) {
    made.watch = (tell) => inner.watch?.(tell);
  }
  return made;
}

/** The mapping of a source, if its answers are not snapshots. */
export function translationOf({ translation }: Source): Mapping | Stored | null {
  return translation === null || translation === undefined || isStored(translation) ? (translation ?? null) : Mapping.of(translation);
}

/** The source's answer as a snapshot; off the event loop where the engine can do that. */
export async function native(translation: Mapping | Stored | null, given: Uint8Array): Promise<Uint8Array> {
  const later = engine()?.mappedLater;
  return translation === null || later === undefined
    ? nativeNow(translation, given)
    : snapshotOf(given, noteStored(translation, await later(given, Mapping.toWire(translation))));
}

/** The same at once. */
export function nativeNow(translation: Mapping | Stored | null, given: Uint8Array): Uint8Array {
  if (translation === null) {
    return given;
  }
  const mapped = engine()?.mapped ?? missing('mappings');
  return snapshotOf(given, noteStored(translation, mapped(given, Mapping.toWire(translation))));
}

function snapshotOf(given: Uint8Array, said: string): Uint8Array {
  if (said.startsWith('{"refused"')) {
    throw new Failure((JSON.parse(said) as { refused: string }).refused);
  }
  return said === '' ? given : bytesOf(said);
}
