'use client';
/** A provider for the tests of an app, with the answers that the test gives. */
import type { ReactElement, ReactNode } from 'react';
import type { Projected, Projection } from './flags.js';
import { EsclusaProvider } from './provider.js';
import type { FlagKey } from './registered.js';

/** The answer of a flag in a test: on or off, on with this variant, or the whole answer. */
export type TestFlag = boolean | string | Projected;

/** What `<TestProvider>` takes. */
export interface TestProviderProps {
  /** The flags with an answer; any other gives the caller's default. */
  flags?: { readonly [Key in FlagKey]?: TestFlag };
  /** Whether there is no answer yet. */
  isLoading?: boolean;
  children?: ReactNode;
}

/**
 * Stands in for `<EsclusaProvider>`; give it other `flags` with `rerender`, and what depends on them re-renders.
 *
 * ```tsx
 * render(<Screen />, { wrapper: ({ children }) => <TestProvider flags={{ crm_advanced_features: true }}>{children}</TestProvider> });
 * ```
 */
export function TestProvider({ flags = {}, isLoading = false, children }: TestProviderProps): ReactElement {
  const entries = Object.entries(flags as { readonly [key: string]: TestFlag }).map(([key, flag]): [string, Projected] => [key, projected(flag)]);
  const projection: Projection | null = isLoading ? null : Object.fromEntries(entries);
  return <EsclusaProvider projection={projection}>{children}</EsclusaProvider>;
}

function projected(flag: TestFlag): Projected {
  if (typeof flag === 'boolean') return { enabled: flag, value: flag };
  return typeof flag === 'string' ? { enabled: true, value: flag, variant: flag } : flag;
}
