import { render } from '@testing-library/react';
import { expect, test } from 'vitest';
import { EsclusaProvider, FeatureGate } from '../src/index.ts';
import type { Projection } from '../src/index.ts';
import { said } from './console.ts';
import { Gate } from './screen.tsx';

const PROJECTION: Projection = { on: { enabled: true, value: true }, off: { enabled: false, value: false } };

function html(projection: Projection | null, feature: string): string {
  return render(
    <EsclusaProvider projection={projection}>
      <Gate feature={feature} />
    </EsclusaProvider>,
  ).container.innerHTML;
}

test('a gate shows its children when the flag is on', () => {
  expect(html(PROJECTION, 'on')).toBe('<b>panel</b>');
});

test('a gate shows its fallback when the flag is off', () => {
  expect(html(PROJECTION, 'off')).toBe('<i>upgrade</i>');
});

test('a gate shows its fallback for an unknown flag', () => {
  expect(html(PROJECTION, 'unknown')).toBe('<i>upgrade</i>');
});

test('a gate shows what it has for loading while there is nothing to answer from', () => {
  expect(html(null, 'on')).toBe('<i>wait</i>');
});

test('a gate without fallback and loading shows nothing', () => {
  const gate = (feature: string) => <FeatureGate feature={feature}>panel</FeatureGate>;
  expect(render(<EsclusaProvider>{gate('on')}</EsclusaProvider>).container.innerHTML).toBe('');
  const off = <EsclusaProvider projection={PROJECTION}>{gate('off')}</EsclusaProvider>;
  expect(render(off).container.innerHTML).toBe('');
});

test('the default is used for an unknown flag, and for no other', () => {
  const gate = (feature: string) => (
    <EsclusaProvider projection={PROJECTION}>
      <FeatureGate feature={feature} defaultEnabled>
        panel
      </FeatureGate>
    </EsclusaProvider>
  );
  expect(render(gate('unknown')).container.innerHTML).toBe('panel');
  expect(render(gate('off')).container.innerHTML).toBe('');
});

test('a gate without a provider says what to do', () => {
  expect(() => render(<Gate feature="on" />)).toThrow(
    'useFeatureFlag found no <EsclusaProvider> above it: wrap the application in one, or a test in <TestProvider> of @esclusa/react/testing',
  );
  said();
});

test('the nearest provider answers', () => {
  const inner = (
    <EsclusaProvider projection={{ on: { enabled: false, value: false } }}>
      <Gate feature="on" />
    </EsclusaProvider>
  );
  const outer = (
    <EsclusaProvider projection={PROJECTION}>
      <Gate feature="on" />
      {inner}
    </EsclusaProvider>
  );
  expect(render(outer).container.innerHTML).toBe('<b>panel</b><i>upgrade</i>');
});
