/** Components that the tests render: they count how often they were rendered, and keep every text they ever showed. */
import type { ReactElement } from 'react';
import { FeatureGate, useFeatureFlag, useFlags, useValue, useVariant } from '../src/index.ts';

/** What each component rendered, in order: its length is the number of renders. */
export class Renders {
  readonly #texts = new Map<string, string[]>();

  add(name: string, text: string): string {
    this.#texts.set(name, [...this.of(name), text]);
    return text;
  }

  of(name: string): string[] {
    return this.#texts.get(name) ?? [];
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#texts].map(([name, texts]) => [name, texts.length]));
  }

  clear(): void {
    this.#texts.clear();
  }
}

interface Probe {
  feature: string;
  renders: Renders;
}

export function Flag({ feature, renders }: Probe): ReactElement {
  const { isEnabled, isLoading } = useFeatureFlag(feature);
  const text = isLoading ? 'loading' : isEnabled ? 'on' : 'off';
  return <p data-testid={feature}>{renders.add(feature, text)}</p>;
}

export function Variant({ feature, renders }: Probe): ReactElement {
  const text = String(useVariant(feature, 'none'));
  return <p data-testid={`${feature}.variant`}>{renders.add(`${feature}.variant`, text)}</p>;
}

export function Value({ feature, renders }: Probe): ReactElement {
  const text = JSON.stringify(useValue(feature, 'none'));
  return <p data-testid={`${feature}.value`}>{renders.add(`${feature}.value`, text)}</p>;
}

export function Several({ features, renders }: { features: string[]; renders: Renders }): ReactElement {
  return <p data-testid="several">{renders.add('several', JSON.stringify(useFlags(features)))}</p>;
}

export function Gate({ feature }: { feature: string }): ReactElement {
  return (
    <FeatureGate feature={feature} fallback={<i>upgrade</i>} loading={<i>wait</i>}>
      <b>panel</b>
    </FeatureGate>
  );
}
