'use client';
/** The gate: children behind a flag. */
import { Fragment, createElement } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { useFeatureFlag } from './hooks.js';
import type { FlagKey } from './registered.js';

/** What `<FeatureGate>` takes. */
export interface FeatureGateProps {
  /** The key of the flag. */
  feature: FlagKey;
  /** What is shown when the flag is on. */
  children?: ReactNode;
  /** What is shown when it is off; nothing unless you say so. */
  fallback?: ReactNode;
  /** What is shown while nothing can be answered yet; nothing unless you say so. */
  loading?: ReactNode;
  /** Whether the children are shown where no flag of that key answers. */
  defaultEnabled?: boolean;
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
  return createElement(Fragment, null, isLoading ? props.loading : isEnabled ? props.children : props.fallback);
}
