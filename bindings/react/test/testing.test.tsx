import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { TestProvider } from '../src/testing.tsx';
import { Flag, Gate, Renders, Value, Variant } from './screen.tsx';

test('a flag is on, off, on with a variant, or what the test says', () => {
  const renders = new Renders();
  const layout = { enabled: false, value: { columns: 3 }, variant: 'wide' };
  render(
    <TestProvider flags={{ on: true, off: false, layout, text: 'compact' }}>
      <Flag feature="on" renders={renders} />
      <Flag feature="off" renders={renders} />
      <Flag feature="unnamed" renders={renders} />
      <Variant feature="text" renders={renders} />
      <Value feature="text" renders={renders} />
      <Flag feature="layout" renders={renders} />
      <Variant feature="layout" renders={renders} />
      <Value feature="layout" renders={renders} />
    </TestProvider>,
  );
  const texts = ['on', 'off', 'unnamed', 'text.variant', 'text.value', 'layout', 'layout.variant', 'layout.value'];
  expect(texts.map((name) => screen.getByTestId(name).textContent)).toEqual([
    ...['on', 'off', 'off', 'compact', '"compact"', 'off', 'wide', '{"columns":3}'],
  ]);
});

test('other flags re-render what depends on them', () => {
  const renders = new Renders();
  const second = <Flag feature="second" renders={renders} />;
  const tree = (first: boolean) => (
    <TestProvider flags={{ first, second: true }}>
      <Gate feature="first" />
      {second}
    </TestProvider>
  );
  const { container, rerender } = render(tree(true));
  expect(container.firstElementChild?.outerHTML).toBe('<b>panel</b>');
  rerender(tree(false));
  expect(container.firstElementChild?.outerHTML).toBe('<i>upgrade</i>');
  expect(renders.counts()).toEqual({ second: 1 });
});

test('a test may look at the loading state', () => {
  const tree = (isLoading: boolean) => (
    <TestProvider flags={{ first: true }} isLoading={isLoading}>
      <Gate feature="first" />
    </TestProvider>
  );
  const { container, rerender } = render(tree(true));
  expect(container.innerHTML).toBe('<i>wait</i>');
  rerender(tree(false));
  expect(container.innerHTML).toBe('<b>panel</b>');
});

test('without flags every default stands', () => {
  const { container } = render(
    <TestProvider>
      <Gate feature="first" />
    </TestProvider>,
  );
  expect(container.innerHTML).toBe('<i>upgrade</i>');
});
