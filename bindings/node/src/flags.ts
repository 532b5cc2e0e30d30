/** Flags in Node: those that every JavaScript host has, and threads that share them. */
import { Flags as EveryFlags } from '../../js/src/flags.js';
import { load } from './load.js';
import { install } from '../../js/src/engine.js';

const loaded = load();
install(loaded.engine);

/** Which engine runs: `native`, or `wasm` where there is no addon for this machine. */
export const engine: 'native' | 'wasm' = loaded.name;

/** What leads another thread of this process to the same flags; it can be sent in a message or as `workerData`. */
export interface SharedFlags {
  readonly esclusa: 'shared flags';
  readonly number: number;
}

/**
 * The current flag set, and the answers that it gives. It answers defaults until something is published.
 *
 * ```js
 * const flags = new Flags();
 * await flags.publish(await readFile('flags.json'));
 * if (flags.isEnabled('crm_advanced_features', { user: 'user-42', company: 'acme', plan: 'PREMIUM' })) { … }
 * ```
 */
export class Flags extends EveryFlags {
  /**
   * What a worker thread needs to use the same flags: one compiled set for all threads, and a snapshot that any of
   * them publishes is current in all. Only the thread that publishes tells its listeners.
   *
   * The flags live as long as any thread holds them; this object does not count.
   *
   * @throws Error in WebAssembly, whose memory belongs to one thread.
   */
  share(): SharedFlags {
    const { engine } = nativeOnly();
    return { esclusa: 'shared flags', number: engine.share(EveryFlags.numberOf(this)) };
  }

  /**
   * The flags that another thread of this process shares.
   *
   * What this handle publishes is current everywhere, and what others publish is current here; but listeners hear only
   * of what their own handle published [12.9].
   *
   * @throws Error if no thread holds them any more, or in WebAssembly.
   */
  static fromShared(shared: SharedFlags): Flags {
    if (shared?.esclusa !== 'shared flags' || typeof shared.number !== 'number') {
      throw new TypeError('these are no shared flags, expected what `flags.share()` gives');
    }
    const { engine } = nativeOnly();
    const number = engine.attach(shared.number);
    if (number < 0) {
      throw new Error('the shared flags are gone: no thread of this process holds them');
    }
    return EveryFlags.adopt(new Flags(), engine, number);
  }
}

function nativeOnly(): Extract<typeof loaded, { name: 'native' }> {
  if (loaded.name !== 'native') {
    throw new Error('flags can be shared among threads by the native engine alone, and this is the one in WebAssembly');
  }
  return loaded;
}
