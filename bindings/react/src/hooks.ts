'use client';
/**
 * The hooks: each reads one thing from the provider's store, and re-renders its component when that has changed.
 *
 * They give React a text, a constant or an answer that keeps its identity, so that React can compare it.
 */
import { useMemo, useSyncExternalStore } from 'react';
import { useStore } from './provider.js';
import type { FlagKey, FlagValue, FlagVariant } from './registered.js';
import type { Store } from './store.js';

/** Whether a flag is on, and whether that is known yet. */
export interface FeatureFlag {
  /** Whether the flag is on; while loading, and without an answer, it is your default, else false. */
  readonly isEnabled: boolean;
  /** True only while there is no source of answers: no projection, and no snapshot in the engine. */
  readonly isLoading: boolean;
}

/** The four results of `useFeatureFlag`, each one object: React compares them by identity. */
const STATES: readonly [FeatureFlag, FeatureFlag, FeatureFlag, FeatureFlag] = [
  { isEnabled: false, isLoading: false },
  { isEnabled: true, isLoading: false },
  { isEnabled: false, isLoading: true },
  { isEnabled: true, isLoading: true },
];

/**
 * Whether a flag is on for the provider's caller.
 *
 * ```tsx
 * const { isEnabled, isLoading } = useFeatureFlag('crm_advanced_features');
 * ```
 */
export function useFeatureFlag(name: FlagKey, defaultEnabled = false): FeatureFlag {
  return useAnswer('useFeatureFlag', (store, hydrating) => {
    const isEnabled = store.answer(name, hydrating)?.enabled ?? defaultEnabled;
    return STATES[((isEnabled ? 1 : 0) + (store.isLoading(hydrating) ? 2 : 0)) as 0 | 1 | 2 | 3];
  });
}

/** The variant that a flag serves, on or off, null if it serves none; without an answer the default. */
export function useVariant<Key extends FlagKey>(name: Key): FlagVariant<Key> | null;
export function useVariant<Key extends FlagKey, const Default>(name: Key, defaultVariant: Default): FlagVariant<Key> | Default;
export function useVariant(name: FlagKey, defaultVariant: unknown = null): unknown {
  return useAnswer('useVariant', (store, hydrating) => {
    const answer = store.answer(name, hydrating);
    return answer ? answer.variant : defaultVariant;
  });
}

/** The value that a flag serves, on or off; without an answer the default. It changes its identity only with its content. */
export function useValue<Key extends FlagKey>(name: Key): FlagValue<Key> | null;
export function useValue<Key extends FlagKey, const Default>(name: Key, defaultValue: Default): FlagValue<Key> | Default;
export function useValue(name: FlagKey, defaultValue: unknown = null): unknown {
  const answer = useAnswer('useValue', (store, hydrating) => store.answer(name, hydrating));
  return answer ? answer.value : defaultValue;
}

/**
 * Whether each of several flags is on. Flags without an answer are off. The object stays the same while its answers do.
 *
 * ```tsx
 * const { crm_bulk_import, crm_export_audit_log } = useFlags(['crm_bulk_import', 'crm_export_audit_log']);
 * ```
 */
export function useFlags<const Name extends FlagKey>(names: readonly Name[]): Readonly<Record<Name, boolean>> {
  const content = useAnswer('useFlags', (store, hydrating) =>
    JSON.stringify(names.map((name) => [name, store.answer(name, hydrating)?.enabled ?? false])),
  );
  return useMemo(() => Object.fromEntries(JSON.parse(content) as [Name, boolean][]) as Record<Name, boolean>, [content]);
}

function useAnswer<T>(asker: string, read: (store: Store, hydrating: boolean) => T): T {
  const store = useStore(asker);
  return useSyncExternalStore(
    store.subscribe,
    () => read(store, false),
    () => read(store, true),
  );
}
