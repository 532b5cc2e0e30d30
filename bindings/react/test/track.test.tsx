/** Gates that report, the hook that does, and what a person sees when something in a gate fails. */
import { act, fireEvent, render } from '@testing-library/react';
import { expect, test } from 'vitest';
import type { ReactElement, ReactNode } from 'react';
import { EsclusaProvider, FeatureGate, useTrack } from '../src/index.ts';
import type { PageOutcome, Projection, Track } from '../src/index.ts';
import { TestProvider } from '../src/testing.tsx';
import { said } from './console.ts';
import { engine, publish } from './engine.ts';

const PROJECTION: Projection = {
  on: { enabled: true, value: 'wide', variant: 'wide' },
  off: { enabled: false, value: false },
};

/** What a tracker was given. */
function recorder(): { events: [string, PageOutcome | undefined][]; track: Track } {
  const events: [string, PageOutcome | undefined][] = [];
  return { events, track: (event, outcome) => void events.push([event, outcome]) };
}

function Broken({ isFixed = false }: { isFixed?: boolean }): ReactElement {
  if (!isFixed) throw new Error('broken');
  return <b>fixed</b>;
}

function gate(feature: string, tracker: ReturnType<typeof recorder> | null, children: ReactNode = <b>panel</b>, fallback: ReactNode = <i>upgrade</i>): ReactElement {
  return (
    <EsclusaProvider projection={PROJECTION} tracker={tracker}>
      <FeatureGate feature={feature} fallback={fallback} tracked>
        {children}
      </FeatureGate>
    </EsclusaProvider>
  );
}

test('a tracked gate reports what it shows, once', () => {
  const tracker = recorder();
  const { container, rerender } = render(gate('on', tracker));
  expect(container.innerHTML).toBe('<b>panel</b>');
  rerender(gate('on', tracker, <b>other</b>));
  expect(tracker.events).toEqual([['on', { action: 'view', shown: 'children', variant: 'wide' }]]);
  rerender(gate('off', tracker));
  expect(container.innerHTML).toBe('<i>upgrade</i>');
  expect(tracker.events.slice(1)).toEqual([['off', { action: 'view', shown: 'fallback', variant: null }]]);
});

test('without `tracked` nothing is reported, and an error goes on', () => {
  const tracker = recorder();
  const plain = (children: ReactNode) => (
    <EsclusaProvider projection={PROJECTION} tracker={tracker}>
      <FeatureGate feature="on">{children}</FeatureGate>
    </EsclusaProvider>
  );
  render(plain('panel'));
  expect(() => render(plain(<Broken />))).toThrow('broken');
  expect(tracker.events).toEqual([]);
  said();
});

test('without a tracker a gate shows the same and catches errors all the same', () => {
  expect(render(gate('on', null)).container.innerHTML).toBe('<b>panel</b>');
  expect(render(gate('on', null, <Broken />)).container.innerHTML).toBe('<i>upgrade</i>');
  said();
});

test('children that fail are reported, and the fallback is shown instead', () => {
  const tracker = recorder();
  const { container, rerender } = render(gate('on', tracker, <Broken />));
  expect(container.innerHTML).toBe('<i>upgrade</i>');
  const error = ['on', { action: 'error', error: true, shown: 'children', variant: 'wide' }];
  expect(tracker.events).toContainEqual(error);
  expect(tracker.events.filter(([, outcome]) => outcome?.error)).toHaveLength(1);
  rerender(gate('on', tracker, <Broken isFixed />));
  expect(container.innerHTML).toBe('<i>upgrade</i>');
  expect(said().join('\n')).toContain('broken');
});

test('a fallback that fails is reported, and the page goes on without it', () => {
  const tracker = recorder();
  const page = (feature: string, children: ReactNode) => render(<main>{gate(feature, tracker, children, <Broken />)}</main>).container.innerHTML;
  expect(page('off', <b>panel</b>)).toBe('<main></main>');
  expect(tracker.events).toContainEqual(['off', { action: 'error', error: true, shown: 'fallback', variant: null }]);
  tracker.events.length = 0;
  expect(page('on', <Broken />)).toBe('<main></main>');
  const errors = tracker.events.filter(([, outcome]) => outcome?.error);
  expect(errors.map(([, outcome]) => outcome?.shown).sort()).toEqual(['children', 'fallback']);
  said();
});

test('a flag that is switched off and on again gives its children another try', () => {
  const flags = engine([{ name: 'crm', enabled: true }]);
  let isFixed = false;
  const Panel = () => <Broken isFixed={isFixed} />;
  const tracker = recorder();
  const { container } = render(
    <EsclusaProvider flags={flags} tracker={tracker}>
      <FeatureGate feature="crm" fallback={<i>upgrade</i>} tracked>
        <Panel />
      </FeatureGate>
    </EsclusaProvider>,
  );
  expect(container.innerHTML).toBe('<i>upgrade</i>');
  act(() => publish(flags, [{ name: 'crm', enabled: false }]));
  isFixed = true;
  act(() => publish(flags, [{ name: 'crm', enabled: true }]));
  expect(container.innerHTML).toBe('<b>fixed</b>');
  said();
});

test('nothing is reported while there is no answer', () => {
  const tracker = recorder();
  const flags = engine();
  const { container } = render(
    <EsclusaProvider flags={flags} tracker={tracker}>
      <FeatureGate feature="crm" fallback={<i>upgrade</i>} loading={<i>wait</i>} tracked>
        <b>panel</b>
      </FeatureGate>
    </EsclusaProvider>,
  );
  expect([container.innerHTML, tracker.events]).toEqual(['<i>wait</i>', []]);
  act(() => publish(flags, [{ name: 'crm', enabled: true }]));
  expect(container.innerHTML).toBe('<b>panel</b>');
  expect(tracker.events.map(([event, outcome]) => [event, outcome?.shown])).toEqual([['crm', 'children']]);
});

test('the hook reports to the tracker of the last render, and stays the same', () => {
  const seen = new Set<Track>();
  function Button(): ReactElement {
    const track = useTrack();
    seen.add(track);
    return <button onClick={() => track('on', { action: 'click', value: 3 })}>click</button>;
  }
  const [first, second] = [recorder(), recorder()];
  const page = (tracker: ReturnType<typeof recorder> | null) => (
    <EsclusaProvider projection={PROJECTION} tracker={tracker}>
      <Button />
    </EsclusaProvider>
  );
  const { getByText, rerender } = render(page(first));
  fireEvent.click(getByText('click'));
  rerender(page(second));
  fireEvent.click(getByText('click'));
  rerender(page(null));
  fireEvent.click(getByText('click'));
  const click = ['on', { action: 'click', value: 3 }];
  expect([first.events, second.events, seen.size]).toEqual([[click], [click], 1]);
});

test('in an app\'s own tests a gate that reports needs no tracker', () => {
  const page = (
    <TestProvider flags={{ crm: true }}>
      <FeatureGate feature="crm" tracked>
        panel
      </FeatureGate>
    </TestProvider>
  );
  expect(render(page).container.innerHTML).toBe('panel');
});
