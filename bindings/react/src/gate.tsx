'use client';
/** The gate: children behind a flag. */
import { Fragment, createElement } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { useFeatureFlag } from './hooks.js';
import type { FlagKey } from './registered.js';
import { Tracked } from './tracked.js';

/** What `<FeatureGate>` takes. */
export interface FeatureGateProps {
  /** The key of the flag. */
  feature: FlagKey;
  /** What is shown when the flag is on. */
  children?: ReactNode;
  /** Shown when the flag is off; nothing by default. */
  fallback?: ReactNode;
  /** Shown while there is no answer yet; nothing by default. */
  loading?: ReactNode;
  /** Whether the children are shown without an answer. */
  defaultEnabled?: boolean;
  /**
   * Reports to the provider's `tracker` once for each page what is shown, and an error in it: instead of children that
   * fail the fallback is shown, and nothing instead of a fallback that fails.
   */
  tracked?: boolean;
}

/**
 * Shows its children if the flag is on for the provider's caller.
 *
 * ```tsx
 * <FeatureGate feature="crm_advanced_features" fallback={<Upgrade />}>
 *   <AdvancedCRMPanel />
 * </FeatureGate>
 * ```
 */
export function FeatureGate(props: FeatureGateProps): ReactElement {
  const { isEnabled, isLoading } = useFeatureFlag(props.feature, props.defaultEnabled);
  const { feature, children, fallback, tracked } = props;
  if (tracked && !isLoading) return createElement(Tracked, { feature, isEnabled, fallback, children });
  return createElement(Fragment, null, isLoading ? props.loading : isEnabled ? children : fallback);
}
