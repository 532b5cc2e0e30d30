import { act, render, screen } from '@testing-library/react';
import { StrictMode, startTransition, useLayoutEffect, useRef, useState } from 'react';
import { expect, test, vi } from 'vitest';
import { EsclusaProvider } from '../src/index.ts';
import type { CallerContext, Projection } from '../src/index.ts';
import { ROWS, changed, engine, publish } from './engine.ts';
import { Flag, Renders, Several, Value, Variant } from './screen.tsx';

const PREMIUM = { user: 'ana', plan: 'PREMIUM' };
const FREE = { user: 'ana', plan: 'FREE' };

/** The components are made once: only they themselves can cause their renders. */
function screenOf(renders: Renders) {
  return [
    <Flag key="1" feature="everybody" renders={renders} />,
    <Flag key="2" feature="nobody" renders={renders} />,
    <Flag key="3" feature="premium" renders={renders} />,
    <Flag key="4" feature="layout" renders={renders} />,
    <Variant key="5" feature="layout" renders={renders} />,
    <Value key="6" feature="layout" renders={renders} />,
    <Several key="7" features={['everybody', 'premium']} renders={renders} />,
  ];
}

const ONCE = {
  everybody: 1,
  nobody: 1,
  premium: 1,
  layout: 1,
  'layout.variant': 1,
  'layout.value': 1,
  several: 1,
};

function mount(flags = engine(ROWS), context: CallerContext = PREMIUM) {
  const renders = new Renders();
  const children = screenOf(renders);
  const tree = (next: CallerContext, projection?: Projection) => (
    <EsclusaProvider flags={flags} context={next} projection={projection ?? null}>
      {children}
    </EsclusaProvider>
  );
  const { rerender } = render(tree(context));
  return { flags, renders, rerender: (next: CallerContext, projection?: Projection) => rerender(tree(next, projection)) };
}

test('the engine answers on the first render, once a component', () => {
  const { renders } = mount();
  expect(renders.counts()).toEqual(ONCE);
  expect(screen.getByTestId('layout.variant').textContent).toBe('compact');
  expect(screen.getByTestId('several').textContent).toBe('{"everybody":true,"premium":true}');
});

test('publishing re-renders the components whose answer changed, and no other', () => {
  const { flags, renders } = mount();
  renders.clear();
  act(() => publish(flags, changed({ name: 'nobody', enabled: true })));
  expect(renders.counts()).toEqual({ nobody: 1 });
  expect(screen.getByTestId('nobody').textContent).toBe('on');
});

test('publishing the same again re-renders nothing', () => {
  const { flags, renders } = mount();
  renders.clear();
  act(() => publish(flags, ROWS));
  expect(renders.counts()).toEqual({});
});

test('a rollback removes the feature from every component that shows it', () => {
  const { flags, renders } = mount();
  renders.clear();
  act(() => publish(flags, changed({ name: 'premium', enabled: false, target_plans: ['PREMIUM'] })));
  expect(renders.counts()).toEqual({ premium: 1, several: 1 });
  expect(screen.getByTestId('premium').textContent).toBe('off');
});

test('another variant re-renders those who asked for the variant or the value, not those who asked whether it is on', () => {
  const { flags, renders } = mount();
  renders.clear();
  const variants = [
    { key: 'compact', value: { columns: 2 }, weight: 0 },
    { key: 'wide', value: { columns: 4 }, weight: 1 },
  ];
  act(() => publish(flags, changed({ name: 'layout', enabled: true, variants })));
  expect(renders.counts()).toEqual({ 'layout.variant': 1, 'layout.value': 1 });
  expect(screen.getByTestId('layout.value').textContent).toBe('{"columns":4}');
});

test('another value of the same variant re-renders those who asked for the value', () => {
  const { flags, renders } = mount();
  renders.clear();
  const variants = [{ key: 'compact', value: { columns: 3 }, weight: 1 }];
  act(() => publish(flags, changed({ name: 'layout', enabled: true, variants })));
  expect(renders.counts()).toEqual({ 'layout.value': 1 });
});

test('another caller re-renders the components whose answer changed, and no other', () => {
  const { renders, rerender } = mount();
  renders.clear();
  rerender(FREE);
  expect(renders.counts()).toEqual({ premium: 1, several: 1 });
  expect(screen.getByTestId('premium').textContent).toBe('off');
  rerender(PREMIUM);
  expect(screen.getByTestId('premium').textContent).toBe('on');
});

test('a context that is written in render is the same caller on each render', () => {
  const { flags, renders, rerender } = mount();
  let resolved = 0;
  const resolve = flags.resolve.bind(flags);
  flags.resolve = (...wanted: Parameters<typeof resolve>) => {
    resolved += 1;
    return resolve(...wanted);
  };
  renders.clear();
  rerender({ user: 'ana', plan: 'PREMIUM' });
  rerender({ user: 'ana', plan: 'PREMIUM' });
  expect([renders.counts(), resolved]).toEqual([{}, 0]);
  rerender({ user: 'ana', plan: 'FREE' });
  expect(resolved).toBe(4);
});

test('what changes inside a set is another caller, also in the same object', () => {
  const wanted = { name: 'premium', enabled: true, target_roles: ['ADMIN'] };
  const roles = new Set(['AGENT']);
  const { renders, rerender } = mount(engine(changed(wanted)), { roles } as unknown as CallerContext);
  renders.clear();
  rerender({ roles: new Set(['ADMIN']) } as unknown as CallerContext);
  expect([renders.counts(), screen.getByTestId('premium').textContent]).toEqual([{ premium: 1, several: 1 }, 'on']);
  rerender({ roles } as unknown as CallerContext);
  expect(screen.getByTestId('premium').textContent).toBe('off');
  roles.add('ADMIN');
  rerender({ roles } as unknown as CallerContext);
  expect(screen.getByTestId('premium').textContent).toBe('on');
});

test('a time that a toJSON gives is part of who asks', () => {
  const since = (year: number) => ({ plan: 'PREMIUM', since: { toJSON: () => new Date(Date.UTC(year, 0)) } });
  const { flags, rerender } = mount(engine(ROWS), since(2025));
  const resolve = vi.spyOn(flags, 'resolve');
  rerender(since(2025));
  expect(resolve.mock.calls.length).toBe(0);
  rerender(since(2026));
  expect(resolve.mock.calls.length).toBe(4);
});

test('a big number is no reason to ask again', () => {
  const { flags, renders, rerender } = mount(engine(ROWS), { plan: 'PREMIUM', seats: 12n });
  const resolve = vi.spyOn(flags, 'resolve');
  renders.clear();
  rerender({ plan: 'PREMIUM', seats: 12n });
  expect([renders.counts(), resolve.mock.calls.length]).toEqual([{}, 0]);
  rerender({ plan: 'PREMIUM', seats: 13n });
  expect(resolve.mock.calls.length).toBe(4);
});

test('a context that JSON can not tell apart is told apart by its identity', () => {
  class Caller {
    readonly #plan: string;
    constructor(plan: string) {
      this.#plan = plan;
    }
    get plan(): string {
      return this.#plan;
    }
  }
  const { renders, rerender } = mount(engine(ROWS), { user: 'ana' });
  renders.clear();
  // The engine can't read private fields; what counts is that it was asked again, and that a cycle breaks nothing.
  rerender(new Caller('PREMIUM') as unknown as CallerContext);
  const circle: Record<string, unknown> = { plan: 'PREMIUM' };
  rerender(circle);
  expect(screen.getByTestId('premium').textContent).toBe('on');
  circle['self'] = circle;
  rerender({ ...circle });
  expect(screen.getByTestId('premium').textContent).toBe('off');
});

test('a flag that was taken out of the snapshot does not live on in an older projection', () => {
  const { flags, rerender } = mount();
  rerender(PREMIUM, { everybody: { enabled: true, value: true }, other: { enabled: true, value: true } });
  act(() => publish(flags, ROWS.slice(1)));
  expect(screen.getByTestId('everybody').textContent).toBe('off');
  rerender(PREMIUM, { everybody: { enabled: true, value: 'newer' } });
  expect(screen.getByTestId('everybody').textContent).toBe('on');
});

test('a thousand gates ask the engine once for each flag and change', () => {
  const flags = engine(ROWS);
  let resolved = 0;
  const resolve = flags.resolve.bind(flags);
  flags.resolve = (...wanted: Parameters<typeof resolve>) => {
    resolved += 1;
    return resolve(...wanted);
  };
  const renders = new Renders();
  const gates = Array.from({ length: 1000 }, (_, index) => <Flag key={index} feature="premium" renders={renders} />);
  render(
    <EsclusaProvider flags={flags} context={PREMIUM}>
      {gates}
    </EsclusaProvider>,
  );
  // Once when it is rendered, once when the provider begins to listen: something may have been published in between.
  expect([resolved, renders.counts()]).toEqual([2, { premium: 1000 }]);
  act(() => publish(flags, changed({ name: 'premium', enabled: false })));
  expect([resolved, renders.counts()]).toEqual([3, { premium: 2000 }]);
});

test('under StrictMode the answers and the listening are the same', () => {
  const flags = engine(ROWS);
  const renders = new Renders();
  const { unmount } = render(
    <StrictMode>
      <EsclusaProvider flags={flags} context={PREMIUM}>
        <Flag feature="premium" renders={renders} />
      </EsclusaProvider>
    </StrictMode>,
  );
  renders.clear();
  act(() => publish(flags, changed({ name: 'premium', enabled: false })));
  // React renders each component twice under StrictMode, and never three times.
  expect(renders.of('premium')).toEqual(['off', 'off']);
  unmount();
  renders.clear();
  publish(flags, ROWS);
  expect(renders.counts()).toEqual({});
});

test('a publish in the middle of a concurrent render leaves no mix of two snapshots', async () => {
  const flags = engine(ROWS);
  const renders = new Renders();
  const shown: string[] = [];
  let show!: () => void;
  /** Publishes once, after its elder sibling was rendered and before its younger one is. */
  const Publisher = () => {
    if (flags.resolve('premium', PREMIUM).enabled) publish(flags, changed({ name: 'premium', enabled: false }));
    return null;
  };
  const Screen = () => {
    const [isShown, setShown] = useState(false);
    show = () => startTransition(() => setShown(true));
    const screen = useRef<HTMLElement>(null);
    // Runs with each commit, before anybody sees it.
    useLayoutEffect(() => void shown.push(screen.current?.textContent ?? ''));
    const tree = [
      <Flag key="1" feature="premium" renders={renders} />,
      <Publisher key="2" />,
      <Flag key="3" feature="premium" renders={renders} />,
    ];
    return <main ref={screen}>{isShown && tree}</main>;
  };
  render(
    <EsclusaProvider flags={flags} context={PREMIUM}>
      <Screen />
    </EsclusaProvider>,
  );
  await act(async () => show());
  expect(shown).toEqual(['', 'offoff']);
  expect(renders.of('premium')).toEqual(['on', 'off', 'off', 'off']);
});
