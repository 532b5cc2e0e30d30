/** Flags with `current()`: one set that is held for a whole request. */
import { engine } from './engine.js';
import { Flags as EveryFlags } from './flags.js';

/** What a set that is held answers: every question that flags answer. */
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
 * One set of flags, for a whole request: all its answers come from that set, also after a publish. It is what
 * `flags.current()` gives, and is asked as the flags are.
 */
export type HeldSet = Pick<EveryFlags, Question>;

/** The flags that hold the set. They are shared by all requests, so `publish` and `free` throw. */
class FlagSet extends EveryFlags {
  override publish(): never {
    throw new TypeError('a set that is held does not change, expected the flags that it was taken from');
  }

  override publishSync(): never {
    return this.publish();
  }

  override free(): void {
    // The garbage collector does that when no request holds it any more.
  }
}

/** The flags of builds that can hold a set. */
export class Flags extends EveryFlags {
  #held: FlagSet | undefined;
  #number = 0;

  /**
   * The current set, to be asked for a whole request: what is published meanwhile, also by another thread, changes none
   * of its answers. It is the same object until something is published, so asking for it costs next to nothing.
   */
  current(): HeldSet {
    const loaded = engine();
    if (loaded === undefined) {
      // The WebAssembly is not loaded, so nothing is published either.
      return new FlagSet();
    }
    const flags = EveryFlags.numberOf(this);
    if (this.#held === undefined || loaded.holds?.(flags, this.#number) !== true) {
      this.#number = (loaded.hold as NonNullable<typeof loaded.hold>)(flags);
      this.#held = EveryFlags.adopt(new FlagSet(), loaded, this.#number);
    }
    return this.#held;
  }
}
