/** Mappings in Node: from an object, a text, a file, or the file that an environment variable names. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { type MappedOptions as EveryMappedOptions, Mapping as EveryMapping, MappingError, type MappingLike as EveryMappingLike, type Parameters } from '../../js/src/mapping.js';
import { type Stored, isStored } from '../../js/src/parameters.js';

const VARIABLE = 'ESCLUSA_MAPPING';

/** A mapping, an object that is one, or the path of a file in TOML or JSON. */
export type MappingLike = EveryMappingLike | string | URL;

/** How rows are published. */
export interface MappedOptions extends Omit<EveryMappedOptions, 'mapping'> {
  /** Which column is which field of a flag, for rows of a table with columns of its own. */
  mapping?: MappingLike | Stored | null | undefined;
}

/**
 * Which column of a table is which field of a flag. It never changes.
 *
 * ```js
 * const mapping = Mapping.load('flags.mapping.toml', { environment: 'production' });
 * await flags.publish(rows, { mapping });
 * ```
 */
export class Mapping extends EveryMapping {
  /**
   * Reads a file in TOML or JSON; its path is the mapping's name in the reading and the log.
   *
   * @throws MappingError, whose message begins with the path, if the mapping is wrong, and the file system's error if
   * the file cannot be read.
   */
  static load(path: string | URL, parameters?: Parameters): Mapping {
    const name = typeof path === 'string' ? path : fileURLToPath(path);
    const text = readFileSync(name, 'utf8');
    try {
      return new Mapping(text, parameters, name);
    } catch (problem) {
      throw problem instanceof MappingError ? new MappingError(`\`${name}\`: ${problem.message}`, problem.place, problem.problem) : problem;
    }
  }

  /**
   * Reads the file whose path an environment variable has, by default `ESCLUSA_MAPPING`.
   *
   * @throws MappingError without such a variable, and as `load` does.
   */
  static fromEnv(parameters?: Parameters, variable: string = VARIABLE): Mapping {
    const path = process.env[variable]?.trim() ?? '';
    if (path === '') {
      const problem = 'is not set, expected the path of a mapping';
      throw new MappingError(`the variable \`${variable}\` ${problem}`, variable, problem);
    }
    return Mapping.load(path, parameters);
  }
}

/** A mapping in the form of every host. */
export function mappingOf(given: MappingLike | Stored): EveryMappingLike | Stored {
  return typeof given === 'string' || given instanceof URL ? Mapping.load(given) : given;
}

/** Options in the form of every host. */
export function mappedOptions(options: MappedOptions | null | undefined): EveryMappedOptions | null | undefined {
  const mapping = options?.mapping ?? undefined;
  return mapping === undefined || isStored(mapping) ? (options as EveryMappedOptions | null | undefined) : { ...options, mapping: mappingOf(mapping) };
}
