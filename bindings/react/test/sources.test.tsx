import { act, cleanup, render, screen } from '@testing-library/react';
import { StrictMode } from 'react';
import { expect, test, vi } from 'vitest';
import { EsclusaProvider, FeatureGate } from '../src/index.ts';
import type { EsclusaProviderProps, FlagsLike, Projection } from '../src/index.ts';
import { said } from './console.ts';
import { ROWS, changed, engine, publish } from './engine.ts';
import { Flag, Gate, Renders } from './screen.tsx';

const PROJECTION: Projection = {
  everybody: { enabled: true, value: true },
  premium: { enabled: true, value: true },
  // Not marked `client`: the engine of the browser will never hear of it.
  server_only: { enabled: true, value: true },
};
const PREMIUM = { user: 'ana', plan: 'PREMIUM' };

function mount(props: EsclusaProviderProps) {
  const renders = new Renders();
  const children = ['everybody', 'premium', 'nobody', 'server_only'].map((feature) => (
    <Flag key={feature} feature={feature} renders={renders} />
  ));
  const tree = (given: EsclusaProviderProps) => <EsclusaProvider {...given}>{children}</EsclusaProvider>;
  const { rerender, unmount } = render(tree(props));
  return { renders, unmount, rerender: (given: EsclusaProviderProps) => rerender(tree(given)) };
}

/** A promise, and the way to settle it. */
function later<T>() {
  let resolve!: (value: T) => void;
  let reject!: (problem: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  const settle = (act_: () => void) =>
    act(async () => {
      act_();
      await promise.catch(() => {});
    });
  return { promise, resolve: (value: T) => settle(() => resolve(value)), reject: (problem: unknown) => settle(() => reject(problem)) };
}

function texts(): Record<string, string | null> {
  const names = ['everybody', 'premium', 'nobody', 'server_only'];
  return Object.fromEntries(names.map((name) => [name, screen.getByTestId(name).textContent]));
}

const ANSWERS = { everybody: 'on', premium: 'on', nobody: 'off', server_only: 'on' };

test('the projection answers until the engine is there, and nothing re-renders if the engine agrees', async () => {
  const arriving = later<FlagsLike>();
  const { renders } = mount({ projection: PROJECTION, flags: arriving.promise, context: PREMIUM });
  expect(texts()).toEqual(ANSWERS);
  renders.clear();
  await arriving.resolve(engine(ROWS));
  expect([renders.counts(), texts()]).toEqual([{}, ANSWERS]);
});

test('when the engine comes, those components re-render whose answer differs, and no other', async () => {
  const arriving = later<FlagsLike>();
  const { renders } = mount({ projection: PROJECTION, flags: arriving.promise, context: { user: 'ana', plan: 'FREE' } });
  renders.clear();
  await arriving.resolve(engine(ROWS));
  expect([renders.counts(), texts()['premium']]).toEqual([{ premium: 1 }, 'off']);
});

test('for a caller who can not be read the default stands, whatever the projection says', () => {
  const circle: Record<string, unknown> = { user: 'ana', plan: 'PREMIUM' };
  circle['self'] = circle;
  const flags = engine(ROWS);
  mount({ projection: PROJECTION, flags, context: circle });
  // Of a flag that the engine does not hold, and before anything is published, the projection still knows.
  expect(texts()).toEqual({ everybody: 'off', premium: 'off', nobody: 'off', server_only: 'on' });
  cleanup();
  mount({ projection: PROJECTION, flags: engine(), context: circle });
  expect(texts()).toEqual(ANSWERS);
});

test('an engine without a snapshot leaves the projection in force until something is published', () => {
  const flags = engine();
  const { renders } = mount({ projection: PROJECTION, flags, context: { user: 'ana', plan: 'FREE' } });
  expect(texts()).toEqual(ANSWERS);
  renders.clear();
  act(() => publish(flags, ROWS));
  expect(renders.counts()).toEqual({ premium: 1 });
});

test('without a projection it is loading until something is published', () => {
  const flags = engine();
  mount({ flags, context: PREMIUM });
  expect(texts()).toEqual({ everybody: 'loading', premium: 'loading', nobody: 'loading', server_only: 'loading' });
  act(() => publish(flags, ROWS));
  expect(texts()).toEqual({ ...ANSWERS, server_only: 'off' });
});

test('what is published between rendering and listening is not lost', () => {
  const flags = engine();
  const Publisher = () => {
    // An effect of a child runs before the provider's.
    if (!flags.isReady) publish(flags, ROWS);
    return null;
  };
  const renders = new Renders();
  render(
    <EsclusaProvider flags={flags} context={PREMIUM}>
      <Flag feature="everybody" renders={renders} />
      <Publisher />
    </EsclusaProvider>,
  );
  expect(screen.getByTestId('everybody').textContent).toBe('on');
});

test('the engine may be given later as a prop, and taken away', () => {
  const flags = engine(changed({ name: 'premium', enabled: false }));
  const { renders, rerender } = mount({ projection: PROJECTION });
  renders.clear();
  rerender({ projection: PROJECTION, flags });
  expect([renders.counts(), texts()['premium']]).toEqual([{ premium: 1 }, 'off']);
  rerender({ projection: PROJECTION });
  expect(texts()['premium']).toBe('on');
  renders.clear();
  publish(flags, ROWS);
  expect(renders.counts()).toEqual({});
});

test('a function is called once, though it is a new one on each render', async () => {
  const load = vi.fn(async () => engine(ROWS));
  const { rerender } = mount({ projection: PROJECTION, flags: () => load(), context: PREMIUM });
  rerender({ projection: PROJECTION, flags: () => load(), context: PREMIUM });
  await act(async () => {
    await load.mock.results[0]?.value;
  });
  rerender({ projection: PROJECTION, flags: () => load(), context: { plan: 'FREE' } });
  expect([load.mock.calls.length, texts()['premium']]).toEqual([1, 'off']);
});

test('a function is called once under StrictMode', async () => {
  const load = vi.fn(async () => engine(changed({ name: 'everybody', enabled: false })));
  const { container } = render(
    <StrictMode>
      <EsclusaProvider projection={PROJECTION} flags={load}>
        <Gate feature="everybody" />
      </EsclusaProvider>
    </StrictMode>,
  );
  expect(container.innerHTML).toBe('<b>panel</b>');
  await act(async () => {
    await load.mock.results[0]?.value;
  });
  expect([load.mock.calls.length, container.innerHTML]).toEqual([1, '<i>upgrade</i>']);
});

test('an engine that can not be loaded is reported; the projection stands', async () => {
  const arriving = later<FlagsLike>();
  mount({ projection: PROJECTION, flags: arriving.promise });
  await arriving.reject(new Error('the network is down'));
  expect(texts()).toEqual(ANSWERS);
  expect(said()).toEqual([
    'esclusa: the flags of <EsclusaProvider> could not be loaded, the projection and the defaults stand: Error: the network is down',
  ]);
});

test('an engine that can not be loaded ends the loading: the defaults stand', async () => {
  const load = () => {
    throw new Error('no WebAssembly here');
  };
  mount({ flags: load });
  await act(async () => {});
  expect(texts()).toEqual({ everybody: 'off', premium: 'off', nobody: 'off', server_only: 'off' });
  expect(said()).toHaveLength(1);
});

test('of two engines on their way the one counts that was given last', async () => {
  const [first, second] = [later<FlagsLike>(), later<FlagsLike>()];
  const { rerender } = mount({ projection: PROJECTION, flags: first.promise });
  rerender({ projection: PROJECTION, flags: second.promise });
  await second.resolve(engine(changed({ name: 'everybody', enabled: false })));
  await first.resolve(engine(ROWS));
  expect(texts()['everybody']).toBe('off');
});

test('an engine that comes after the tree has gone is left alone', async () => {
  const arriving = later<FlagsLike>();
  const { renders, unmount } = mount({ projection: PROJECTION, flags: arriving.promise });
  unmount();
  renders.clear();
  const flags = engine(ROWS);
  const listen = vi.spyOn(flags, 'onPublish');
  await arriving.resolve(flags);
  expect([listen.mock.calls.length, renders.counts()]).toEqual([0, {}]);
});

test('a tree lives on projections alone, and another one re-renders what changed', () => {
  const { renders, rerender } = mount({ projection: PROJECTION });
  renders.clear();
  rerender({ projection: structuredClone(PROJECTION) });
  expect(renders.counts()).toEqual({});
  rerender({ projection: { ...PROJECTION, premium: { enabled: false, value: false } } });
  expect([renders.counts(), texts()['premium']]).toEqual([{ premium: 1 }, 'off']);
});

test('a projection that comes later ends the loading', () => {
  const { rerender } = mount({});
  expect(texts()['everybody']).toBe('loading');
  rerender({ projection: PROJECTION });
  expect(texts()).toEqual(ANSWERS);
});

test('a flag that can not be read is off, in the engine and in a projection of it, whatever the default', () => {
  const flags = engine([{ name: 'broken', enabled: true, rollout_percentage: 150 }]);
  const projection = flags.project();
  expect(projection).toEqual({ broken: { enabled: false, value: false } });
  for (const given of [{ flags }, { projection }, { flags, projection }]) {
    const gate = (
      <FeatureGate feature="broken" fallback="off" defaultEnabled>
        on
      </FeatureGate>
    );
    expect(render(<EsclusaProvider {...given}>{gate}</EsclusaProvider>).container.textContent).toBe('off');
  }
});

test('windows open and close while nothing is published', () => {
  vi.useFakeTimers({ now: Date.parse('2026-03-01T11:59:00Z') });
  const flags = engine(changed({ name: 'everybody', enabled: true, start_date: '2026-03-01T12:00:00Z', end_date: '2026-03-01T12:05:00Z' }));
  const { renders, unmount } = mount({ flags, context: PREMIUM });
  const after = (minutes: number) => {
    act(() => {
      vi.advanceTimersByTime(minutes * 60_000);
    });
    return texts()['everybody'];
  };
  renders.clear();
  expect([texts()['everybody'], after(1), after(1), after(4)]).toEqual(['off', 'on', 'on', 'off']);
  expect(renders.counts()).toEqual({ everybody: 2 });
  unmount();
  expect(vi.getTimerCount()).toBe(0);
});

test('the clock may be left alone', () => {
  vi.useFakeTimers();
  const { unmount } = mount({ flags: engine(ROWS), refreshMs: 0 });
  expect(vi.getTimerCount()).toBe(0);
  unmount();
});

test.each([
  ['a loader that forgot its return', async () => undefined],
  ['a promise of something else', Promise.resolve({})],
  ['a number', 5],
])('%s is said on the console, and what there is stands', async (_, given) => {
  mount({ projection: PROJECTION, flags: given as unknown as FlagsLike, context: PREMIUM });
  await act(async () => {});
  expect(texts()).toEqual(ANSWERS);
  expect(said().join()).toMatch(/came as the flags, expected an object with the face of Flags/);
});

test.each(['user-42', 5])('a context that is %o opens nothing and takes nothing down', (context) => {
  mount({ projection: PROJECTION, flags: engine(ROWS), context: context as unknown as null });
  expect(texts()).toEqual({ everybody: 'off', premium: 'off', nobody: 'off', server_only: 'off' });
});

test.each([Infinity, 2 ** 31, 0, -1, NaN])('every %o ms is never', (refreshMs) => {
  vi.useFakeTimers();
  mount({ flags: engine(ROWS), refreshMs });
  expect(vi.getTimerCount()).toBe(0);
});
