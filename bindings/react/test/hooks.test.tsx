import { renderHook } from '@testing-library/react';
import type { ReactElement, ReactNode } from 'react';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { EsclusaProvider, useFeatureFlag, useFlags, useValue, useVariant } from '../src/index.ts';
import type { Projection } from '../src/index.ts';
import { said } from './console.ts';

const PROJECTION: Projection = {
  crm_advanced_features: { enabled: true, value: true },
  crm_legacy_reports: { enabled: false, value: false },
  checkout_layout: { enabled: true, value: { columns: 2 }, variant: 'compact' },
  checkout_off: { enabled: false, value: { columns: 1 } },
  nothing: { enabled: true, value: null, variant: 'none' },
};

function provided(projection: Projection | null) {
  return {
    wrapper: ({ children }: { children: ReactNode }): ReactElement => (
      <EsclusaProvider projection={projection}>{children}</EsclusaProvider>
    ),
  };
}

function ask<T>(hook: () => T, projection: Projection | null = PROJECTION): T {
  return renderHook(hook, provided(projection)).result.current;
}

describe('useFeatureFlag', () => {
  test('has the shape that applications know', () => {
    expect(ask(() => useFeatureFlag('crm_advanced_features'))).toEqual({ isEnabled: true, isLoading: false });
    expect(ask(() => useFeatureFlag('crm_legacy_reports'))).toEqual({ isEnabled: false, isLoading: false });
  });

  test('is loading, and off, while there is nothing to answer from', () => {
    expect(ask(() => useFeatureFlag('crm_advanced_features'), null)).toEqual({ isEnabled: false, isLoading: true });
    expect(ask(() => useFeatureFlag('crm_advanced_features', true), null)).toEqual({ isEnabled: true, isLoading: true });
  });

  test('gives the default for a flag that is missing, and only then', () => {
    expect(ask(() => useFeatureFlag('missing'))).toEqual({ isEnabled: false, isLoading: false });
    expect(ask(() => useFeatureFlag('missing', true))).toEqual({ isEnabled: true, isLoading: false });
    expect(ask(() => useFeatureFlag('crm_legacy_reports', true)).isEnabled).toBe(false);
  });

  test('an empty projection answers too: it knows no flag', () => {
    expect(ask(() => useFeatureFlag('crm_advanced_features'), {})).toEqual({ isEnabled: false, isLoading: false });
  });

  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])('%s is a flag like any other', (name) => {
    expect(ask(() => useFeatureFlag(name)).isEnabled).toBe(false);
    const projection = JSON.parse(`{"${name}": {"enabled": true, "value": true}}`) as Projection;
    expect(ask(() => useFeatureFlag(name), projection).isEnabled).toBe(true);
  });

  test('gives the same object for the same answer', () => {
    const { result, rerender } = renderHook(() => useFeatureFlag('crm_advanced_features'), provided(PROJECTION));
    const first = result.current;
    rerender();
    expect(result.current).toBe(first);
  });

  test('follows its argument', () => {
    const { result, rerender } = renderHook(({ name }) => useFeatureFlag(name), {
      ...provided(PROJECTION),
      initialProps: { name: 'crm_advanced_features' },
    });
    rerender({ name: 'crm_legacy_reports' });
    expect(result.current.isEnabled).toBe(false);
  });
});

describe('useVariant', () => {
  test('gives the variant', () => {
    expect(ask(() => useVariant('checkout_layout'))).toBe('compact');
  });

  test('gives null for a flag that serves none: the default does not let anybody in', () => {
    expect(ask(() => useVariant('checkout_off'))).toBe(null);
    expect(ask(() => useVariant('checkout_off', 'classic'))).toBe(null);
    expect(ask(() => useVariant('crm_advanced_features', 'classic'))).toBe(null);
  });

  test('is null, a text or the default to the compiler', () => {
    const variant = ask(() => useVariant('checkout_off', 7));
    expectTypeOf(variant).toEqualTypeOf<string | 7 | null>();
    expectTypeOf(ask(() => useVariant('missing'))).toEqualTypeOf<string | null>();
    expect(variant).toBe(null);
  });

  test('gives the default where no flag answers', () => {
    expect(ask(() => useVariant('missing'))).toBe(null);
    expect(ask(() => useVariant('missing', 'classic'))).toBe('classic');
    expect(ask(() => useVariant('checkout_layout', 'classic'), null)).toBe('classic');
  });
});

describe('useValue', () => {
  test('gives the value, on or off', () => {
    expect(ask(() => useValue('checkout_layout'))).toEqual({ columns: 2 });
    expect(ask(() => useValue('checkout_off', { columns: 9 }))).toEqual({ columns: 1 });
    expect(ask(() => useValue('nothing', 'default'))).toBe(null);
  });

  test('gives the default where no flag answers', () => {
    expect(ask(() => useValue('missing'))).toBe(null);
    expect(ask(() => useValue('missing', 7))).toBe(7);
  });
});

describe('useFlags', () => {
  test('answers for each name', () => {
    const flags = ask(() => useFlags(['crm_advanced_features', 'crm_legacy_reports', 'missing']));
    expect(flags).toEqual({ crm_advanced_features: true, crm_legacy_reports: false, missing: false });
  });

  test('gives the same object while its answers are the same, though the list is a new one', () => {
    const { result, rerender } = renderHook(() => useFlags(['crm_advanced_features']), provided(PROJECTION));
    const first = result.current;
    rerender();
    expect(result.current).toBe(first);
  });
});

test.each([
  ['useFeatureFlag', () => useFeatureFlag('x')],
  ['useVariant', () => useVariant('x')],
  ['useValue', () => useValue('x')],
  ['useFlags', () => useFlags(['x'])],
])('%s without a provider says what to do', (name, hook: () => unknown) => {
  expect(() => renderHook(hook)).toThrow(`${name} found no <EsclusaProvider> above it`);
  said();
});
