/** Parameters of mappings, and the mapping that comes with the rows. */
import { kindOf } from './publication.js';

/** Values for the parameters of a mapping: `$environment` in it stands for `environment`. */
export type Parameters = { readonly [name: string]: string };

/**
 * The mapping that comes with the rows, as `esclusa.watch` keeps it in Postgres, with values for its parameters; an
 * answer without one is a snapshot.
 */
export interface Stored {
  readonly stored: Parameters;
}

/** Whether this stands for the mapping that comes with the rows; another bundle of this package may have made it. */
export function isStored(mapping: unknown): mapping is Stored {
  return typeof mapping === 'object' && mapping !== null && 'stored' in mapping && !('esclusa_mapping' in mapping);
}

/** The same; throws for wrong parameters where they are given. */
export function stored(parameters: Parameters): Stored {
  const wrong = Object.keys(checked(parameters)).find((name) => !/^\w+$/.test(name));
  if (wrong !== undefined) {
    throw new TypeError(`\`$${wrong}\` is no name of a parameter, expected letters, digits and \`_\``);
  }
  return Object.freeze({ stored: checked(parameters) });
}

/** A copy of them, if all are texts. */
export function checked(parameters: unknown): Parameters {
  if (typeof parameters !== 'object' || parameters === null) {
    throw new TypeError(`the parameters are ${kindOf(parameters)}, expected an object of texts`);
  }
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== 'string') {
      throw new TypeError(`the parameter \`${name}\` is ${kindOf(value)}, expected a string`);
    }
  }
  return { ...parameters } as Parameters;
}
