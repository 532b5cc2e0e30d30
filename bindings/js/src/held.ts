/** Flags with `current()`: one set that is held for a whole request. */
import { engine } from './engine.js';
import { Flags as EveryFlags } from './flags.js';
import { type MappedOptions, Mapping } from './mapping.js';
import { isStored } from './parameters.js';
import type { Snapshot } from './publication.js';
import { type Bundle, rowsOf } from './tables.js';
import type { AnyFlags, Report } from './types.js';

/** Checks the mapping at once, so that an error is thrown where it is given. */
function chosen(options: MappedOptions | null | undefined): MappedOptions | null | undefined {
  const mapping = options?.mapping ?? undefined;
  return mapping === undefined || isStored(mapping) ? options : { ...options, mapping: Mapping.of(mapping) };
}

/** The questions that a held set answers, as flags do. */
type Question =
  | 'isEnabled'
  | 'value'
  | 'variant'
  | 'resolve'
  | 'resolveAll'
  | 'explain'
  | 'project'
  | 'clientSnapshot'
  | 'prepare'
  | 'keys'
  | 'has'
  | 'size'
  | 'isReady'
  | 'revision'
  | 'generatedAt'
  | 'violations';

/**
 * One set of flags, for a whole request: all its answers come from that set, also after a publish. `flags.current()`
 * returns it, and it has the methods of flags.
 */
export type HeldSet<F extends AnyFlags = AnyFlags> = Pick<EveryFlags<F>, Question>;

/** The flags that hold the set. They are shared by all requests, so `publish` and `free` throw. */
class FlagSet<F extends AnyFlags> extends EveryFlags<F> {
  override publish(): never {
    throw new TypeError('a set that is held does not change, expected the flags that it was taken from');
  }

  override publishSync(): never {
    return this.publish();
  }

  override free(): void {
    // The garbage collector frees it when no request holds it.
  }
}

/** The flags of builds that can hold a set, and read rows by a mapping. */
export class Flags<F extends AnyFlags = AnyFlags> extends EveryFlags<F> {
  #held: FlagSet<F> | undefined;
  #number = 0;

  /**
   * Makes a snapshot the current one, or rows that a mapping reads, and returns the report; a refused one throws a
   * `SnapshotError`, or a `MappingError`, which is a subclass.
   *
   * It does not wait: a snapshot that was given to `publish` before may become current after this one.
   */
  override publishSync(snapshot: Snapshot | Bundle, options?: MappedOptions | null): Report {
    return super.publishSync(rowsOf(snapshot), chosen(options));
  }

  /**
   * The same, compiled off the event loop where the engine can do that. Snapshots become current in the order in which
   * they were given to this function.
   *
   * @throws SnapshotError (as a rejection) if the snapshot is refused.
   */
  override async publish(snapshot: Snapshot | Bundle, options?: MappedOptions | null): Promise<Report> {
    return super.publish(rowsOf(snapshot), chosen(options));
  }

  /**
   * The current set, for a whole request: a later publish, also by another thread, changes none of its answers. It is
   * the same object until the next publish, so calling this costs next to nothing.
   */
  current(): HeldSet<F> {
    const loaded = engine();
    if (loaded === undefined) {
      // The WebAssembly is not loaded, so nothing was published either.
      return new FlagSet<F>();
    }
    const flags = EveryFlags.numberOf(this);
    if (this.#held === undefined || loaded.holds?.(flags, this.#number) !== true) {
      this.#number = (loaded.hold as NonNullable<typeof loaded.hold>)(flags);
      this.#held = EveryFlags.adopt(new FlagSet<F>(), loaded, this.#number);
    }
    return this.#held;
  }
}
