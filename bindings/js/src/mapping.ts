/** Mappings: which column of a table is which field of a flag, so that the table is read as it is (`spec/MAPPING.md`). */
import { type Engine, type Publishing, engine } from './engine.js';
import { inspected } from './inspected.js';
import { type Parameters, type Stored, checked, isStored } from './parameters.js';
import { kindOf } from './publication.js';
import { SnapshotError } from './snapshot-error.js';
import { missing } from './sync/missing.js';
import type { JsonValue, PublishOptions } from './types.js';

export type { Parameters, Stored } from './parameters.js';

/** A mapping, or an object that is one. */
export type MappingLike = Mapping | { readonly esclusa_mapping: number; readonly [entry: string]: unknown };

/** How rows are published. */
export interface MappedOptions extends PublishOptions {
  /** Which column is which field of a flag, for rows of a table with columns of its own. */
  mapping?: MappingLike | Stored | null | undefined;
}

/** A mapping is wrong, or does not fit the rows as a whole; what is published stays. */
export class MappingError extends SnapshotError {
  override readonly name = 'MappingError';
  /** Where it is: the entry of the mapping with its options, joined by dots, or a column or a table. */
  readonly place: string;
  /** What is wrong, and what was expected. */
  readonly problem: string;

  constructor(message: string, place: string, problem: string) {
    super(message, [], 'invalid-mapping');
    this.place = place;
    this.problem = problem;
  }
}

/**
 * Which column of a table is which field of a flag. It never changes.
 *
 * ```js
 * const mapping = new Mapping({ esclusa_mapping: 1, name: 'slug', enabled: 'is_active' });
 * await flags.publish([{ slug: 'crm', is_active: 1 }], { mapping });
 * ```
 */
export class Mapping {
  /** The mapping as JSON for the engine. */
  readonly #wire: string;
  readonly #text: string;
  readonly #parameters: Parameters;
  /** Its name in the reading and the log. */
  readonly name: string;
  /** The names of its parameters, without `$`. */
  readonly parameters: readonly string[];
  readonly #plain: { [entry: string]: JsonValue };

  /**
   * A mapping as an object, or as its text in TOML or JSON.
   *
   * @throws MappingError if it breaks a rule of `spec/MAPPING.md`; the error names the entry.
   */
  constructor(mapping: MappingLike | string, parameters: Parameters = {}, name: string | null = null) {
    this.#text = textOf(mapping);
    this.#parameters = checked(parameters);
    this.#wire = JSON.stringify({ text: this.#text, name, parameters: this.#parameters });
    const ask = engine()?.mapping ?? missing('mappings');
    const said = JSON.parse(refused(ask(this.#wire))) as { name: string; parameters: string[]; mapping: { [entry: string]: JsonValue } };
    this.name = said.name;
    this.parameters = said.parameters;
    this.#plain = said.mapping;
  }

  /** The same mapping with these parameters in addition to its own. */
  with(parameters: Parameters): Mapping {
    return new Mapping(this.#text, { ...this.#parameters, ...parameters }, this.name);
  }

  /** The mapping as a plain object, without parameters. */
  toJSON(): { [entry: string]: JsonValue } {
    return structuredClone(this.#plain);
  }

  /** What the console shows of it. */
  [inspected](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return `Mapping ${inspect({ name: this.name, parameters: this.parameters }, options)}`;
  }

  /** The mapping as JSON for the engine. @internal */
  static toWire(mapping: MappingLike | Stored): string {
    return isStored(mapping) ? JSON.stringify({ stored: brought.has(mapping), parameters: mapping.stored }) : Mapping.of(mapping).#wire;
  }

  /** A mapping, or an object that is one; throws a TypeError for any other value. @internal */
  static of(mapping: MappingLike): Mapping {
    return typeof mapping === 'object' && mapping !== null && #wire in mapping ? mapping : new Mapping(mapping);
  }
}

/** Whose mapping defines the columns: the app's, the one that comes with the rows, or the app's although one comes. */
export type MappedBy = 'app' | 'stored' | 'app instead of stored';

/** The translations whose last rows came with a mapping. Bare rows after such rows belong to a table that is no longer watched. */
const brought = new WeakSet<Mapping | Stored>();

/** Whose mapping read the last rows of a source. */
function mappedBy(translation: unknown): MappedBy | null {
  if (isStored(translation)) {
    return brought.has(translation) ? 'stored' : null;
  }
  return translation instanceof Mapping && brought.has(translation) ? 'app instead of stored' : 'app';
}

/** The engine's answer for rows; remembers whether the rows came with a mapping, unless a mapping was refused. */
export function noteStored(mapping: unknown, said: string): string {
  const isRefused = said.startsWith('{"refused"');
  if ((mapping instanceof Mapping || isStored(mapping)) && (!isRefused || (JSON.parse(said) as { stored?: boolean }).stored === true)) {
    brought[isRefused || said.startsWith('  ') ? 'add' : 'delete'](mapping);
  }
  return said;
}

/** An engine that takes mappings, and throws its refusals of them as `MappingError`. */
export function withMappings<E extends Pick<Engine, 'publish' | 'publishLater'>>(engine: E): E {
  const wireOptions = (options?: MappedOptions | null): Publishing => {
    const { mapping, ...rest } = options ?? {};
    return mapping === null || mapping === undefined ? rest : { ...rest, mapping: Mapping.toWire(mapping) };
  };
  const { publish, publishLater } = engine;
  const made: E = { ...engine, mappedBy, publish: (flags, bytes, options) => refused(noteStored(options?.mapping, publish(flags, bytes, wireOptions(options as MappedOptions)))) };
  if (publishLater !== undefined) {
    made.publishLater = async (flags, bytes, options) => refused(noteStored(options?.mapping, await publishLater(flags, bytes, wireOptions(options as MappedOptions))));
  }
  return made;
}

/** The engine's answer; throws a refusal of a mapping. */
function refused(said: string): string {
  if (said.startsWith('{"refused"')) {
    const wire = JSON.parse(said) as { refused: string; place?: string; problem: string };
    if (wire.place !== undefined) {
      throw new MappingError(wire.refused, wire.place, wire.problem);
    }
  }
  return said;
}

function textOf(mapping: unknown): string {
  if (typeof mapping === 'string') {
    return mapping;
  }
  if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping)) {
    throw new TypeError(`the mapping is ${kindOf(mapping)}, expected an object, or its text in TOML or JSON`);
  }
  return JSON.stringify(mapping);
}
