'use client';
/** What a gate shows, reported once for each page, and an error in it, after which the fallback is shown. */
import { Component, useEffect } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { useStore } from './provider.js';
import type { PageOutcome } from './track.js';

/** Reports an event of the page: the key of a flag, that key followed by `.feedback`, or an event that a guard names. */
export type Track = (event: string, outcome?: PageOutcome) => void;

/**
 * Gives a function that reports events of the page to the provider's `tracker`. It stays the same in every render.
 *
 * ```tsx
 * const track = useTrack();
 * return <button onClick={() => track('crm_advanced_features', { action: 'click' })}>…</button>;
 * ```
 */
export function useTrack(): Track {
  return useStore('useTrack').track;
}

/** What a tracked gate shows. */
export interface TrackedProps {
  feature: string;
  isEnabled: boolean;
  children: ReactNode;
  fallback: ReactNode;
}

/** Shows the children or the fallback, and reports which, and the errors of both. */
export function Tracked({ feature, isEnabled, children, fallback }: TrackedProps): ReactElement {
  const store = useStore('<FeatureGate tracked>');
  const shown = isEnabled ? 'children' : 'fallback';
  const report = (outcome: PageOutcome): void => {
    const variant = store.answer(feature, false)?.variant;
    store.track(feature, { ...outcome, variant });
  };
  useEffect(() => report({ action: 'view', shown }), [store, feature, shown]);
  const failed = (shown: 'children' | 'fallback') => () => report({ action: 'error', error: true, shown });
  const instead = (
    <Boundary key={feature} onError={failed('fallback')} instead={null}>
      {fallback}
    </Boundary>
  );
  if (!isEnabled) return instead;
  // Another feature, and one that is switched on again, begin anew.
  return (
    <Boundary key={`${feature} on`} onError={failed('children')} instead={instead}>
      {children}
    </Boundary>
  );
}

interface BoundaryProps {
  onError: () => void;
  instead: ReactNode;
  children: ReactNode;
}

class Boundary extends Component<BoundaryProps, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override componentDidCatch(): void {
    this.props.onError();
  }

  override render(): ReactNode {
    return this.state.hasFailed ? this.props.instead : this.props.children;
  }
}
