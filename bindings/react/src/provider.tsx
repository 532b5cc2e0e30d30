'use client';
/**
 * The provider: the source of answers for the tree below it, and the access to it for the hooks.
 *
 * It puts a store into React's context that stays the same for its whole life, so that a new snapshot, context or
 * projection re-renders only the components whose answer changed.
 */
import { createContext, useContext, useEffect, useLayoutEffect, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { isFlags, isLater } from './flags.js';
import type { CallerContext, FlagsSource, Projection } from './flags.js';
import { REFRESH_MS, Store } from './store.js';
import type { TrackerLike } from './track.js';

/** What `<EsclusaProvider>` takes; each part is optional and may come later. */
export interface EsclusaProviderProps {
  /**
   * The engine: a `Flags` of `@esclusa/wasm`, a promise of one, or a function that loads one. The function is called
   * once, after the page is up. Without it the projection answers.
   */
  flags?: FlagsSource | null;
  /**
   * The caller. An object with the same content is the same caller, so a literal in render is fine. A new one takes
   * effect when the provider has rendered, before the browser paints.
   */
  context?: CallerContext | null;
  /** The values that the server evaluated for this caller, for the first render. */
  projection?: Projection | null;
  /**
   * How often flags are evaluated again without a publish, for windows and schedules, in milliseconds; never for 0, or
   * for more than a timer can count.
   */
  refreshMs?: number;
  /** Takes the events of `<FeatureGate tracked>` and `useTrack`: a `PageTracker` of `@esclusa/react/track`. */
  tracker?: TrackerLike | null;
  children?: ReactNode;
}

const StoreContext = createContext<Store | null>(null);

/** React warns about layout effects on a server, where nothing has a layout. */
const useBeforePaint = typeof document === 'undefined' ? useEffect : useLayoutEffect;

/** Provides flags to the components below it. */
export function EsclusaProvider(props: EsclusaProviderProps): ReactElement {
  const { flags, context, projection, refreshMs = REFRESH_MS, tracker, children } = props;
  const [store] = useState(() => new Store({ context, projection, tracker }, isFlags(flags) ? flags : undefined));
  useBeforePaint(() => store.give({ context, projection, tracker }));
  // A function in render is a new one each time: it is called once.
  const source = typeof flags === 'function' ? 'loader' : flags;
  useBeforePaint(() => {
    if (!flags) return store.take(undefined, refreshMs);
    if (!isLater(flags)) return took(store, flags, refreshMs);
    // Until the new engine has loaded, the projection answers, not the former engine.
    let stop = store.take(undefined, refreshMs);
    let wanted = true;
    Promise.resolve(typeof flags === 'function' ? store.load(flags) : flags).then(
      (loaded) => {
        if (wanted) stop = took(store, loaded, refreshMs);
      },
      (problem: unknown) => {
        if (wanted) store.fail(problem);
      },
    );
    return () => {
      wanted = false;
      stop();
    };
  }, [store, source, refreshMs]);
  return <StoreContext.Provider value={store}>{children}</StoreContext.Provider>;
}

/** Answers from these flags from now on; a value that is not flags is reported, and nothing changes. */
function took(store: Store, flags: unknown, refreshMs: number): () => void {
  if (isFlags(flags)) return store.take(flags, refreshMs);
  store.fail(new TypeError(`${String(flags)} came as the flags, expected an object with the face of Flags`));
  return () => {};
}

/** The store of the provider above. */
export function useStore(asker: string): Store {
  const store = useContext(StoreContext);
  if (!store) {
    throw new Error(
      `${asker} found no <EsclusaProvider> above it: wrap the application in one, or a test in <TestProvider> of @esclusa/react/testing`,
    );
  }
  return store;
}
