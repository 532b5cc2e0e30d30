import { act } from '@testing-library/react';
import { StrictMode, Suspense, lazy } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, expect, test } from 'vitest';
import { projectionScript, readProjection } from '../src/html.ts';
import { EsclusaProvider } from '../src/index.ts';
import type { EsclusaProviderProps, FlagsLike, Projection } from '../src/index.ts';
import { ROWS, changed, engine, publish } from './engine.ts';
import { Flag, Gate, Renders, Several, Value, Variant } from './screen.tsx';

const PREMIUM = { user: 'ana', plan: 'PREMIUM' };
const FREE = { user: 'ana', plan: 'FREE' };

let root: Root | undefined;

afterEach(() => {
  act(() => root?.unmount());
  root = undefined;
});

/** Renders on the server, puts the page up, and hydrates it: the nodes that the server sent must stay. */
async function hydrate(server: ReactElement, browser: ReactElement, script = ''): Promise<{ html: () => string; kept: () => boolean }> {
  document.body.innerHTML = `<main>${renderToString(server)}</main>${script}`;
  const main = document.querySelector('main');
  if (!main) throw new Error('the page has no main');
  const sent = main.firstChild;
  const problems: unknown[] = [];
  await act(async () => {
    root = hydrateRoot(main, browser, { onRecoverableError: (problem) => problems.push(problem) });
  });
  expect(problems).toEqual([]);
  return { html: () => main.innerHTML, kept: () => main.firstChild === sent };
}

function app(props: EsclusaProviderProps, children: ReactNode = <Gate feature="premium" />): ReactElement {
  return <EsclusaProvider {...props}>{children}</EsclusaProvider>;
}

/** What the server works out for a caller, by the way of the page. */
function onServer(rows = ROWS, context = PREMIUM): Projection {
  return engine(rows).project(context);
}

test('a page with a projection hydrates as the server rendered it', async () => {
  const projection = onServer();
  const page = await hydrate(app({ projection }), app({ projection }));
  expect([page.html(), page.kept()]).toEqual(['<b>panel</b>', true]);
});

test('the browser starts from the projection that the page carries', async () => {
  const projection = onServer();
  document.body.innerHTML = projectionScript(projection);
  const read = readProjection();
  expect(read).toEqual(projection);
  const page = await hydrate(app({ projection }), app({ projection: read ?? null }));
  expect([page.html(), page.kept()]).toEqual(['<b>panel</b>', true]);
});

test('an engine that is there already and agrees changes nothing', async () => {
  const renders = new Renders();
  const projection = onServer();
  const flag = <Flag feature="premium" renders={renders} />;
  await hydrate(app({ projection }, flag), app({ projection, flags: engine(ROWS), context: PREMIUM }, flag));
  expect(renders.of('premium')).toEqual(['on', 'on']);
});

test('what hooks give while hydrating keeps its identity, also when the engine takes over', async () => {
  const renders = new Renders();
  const projection = onServer();
  const asked = [
    <Value key="1" feature="layout" renders={renders} />,
    <Variant key="2" feature="layout" renders={renders} />,
    <Several key="3" features={['everybody', 'nobody']} renders={renders} />,
  ];
  await hydrate(app({ projection }, asked), app({ projection, flags: engine(ROWS), context: PREMIUM }, asked));
  // On the server and hydrating; React says on the console if what it is given is a new object each time.
  expect(renders.counts()).toEqual({ 'layout.value': 2, 'layout.variant': 2, several: 2 });
  expect(renders.of('layout.value')).toEqual(['{"columns":2}', '{"columns":2}']);
});

test('an engine that is there already and disagrees waits until the page is hydrated', async () => {
  const renders = new Renders();
  const projection = onServer();
  const flag = <Flag feature="premium" renders={renders} />;
  const page = await hydrate(app({ projection }, flag), app({ projection, flags: engine(ROWS), context: FREE }, flag));
  // On the server, hydrating, and then the engine.
  expect(renders.of('premium')).toEqual(['on', 'on', 'off']);
  expect([page.html(), page.kept()]).toEqual(['<p data-testid="premium">off</p>', true]);
});

test('an engine that comes later takes over without a flicker', async () => {
  const renders = new Renders();
  const projection = onServer();
  const flags = engine();
  let arrive!: (flags: FlagsLike) => void;
  const arriving = new Promise<FlagsLike>((resolve) => (arrive = resolve));
  const children = ['everybody', 'premium', 'nobody'].map((feature) => (
    <Flag key={feature} feature={feature} renders={renders} />
  ));
  const given = { projection, flags: arriving, context: PREMIUM };
  await hydrate(app(given, children), app(given, children));
  publish(flags, ROWS);
  await act(async () => arrive(flags));
  act(() => publish(flags, changed({ name: 'premium', enabled: false })));
  expect(renders.of('everybody')).toEqual(['on', 'on']);
  expect(renders.of('nobody')).toEqual(['off', 'off']);
  expect(renders.of('premium')).toEqual(['on', 'on', 'off']);
});

test('nothing on the server is nothing at first in the browser', async () => {
  const flags = Promise.resolve(engine(ROWS));
  const given = { flags, context: PREMIUM };
  document.body.innerHTML = `<main>${renderToString(app(given))}</main>`;
  expect(document.body.innerHTML).toBe('<main><i>wait</i></main>');
  const page = await hydrate(app(given), app(given));
  expect(page.html()).toBe('<b>panel</b>');
});

test('a server with the engine alone, and a browser with the same, agree', async () => {
  const page = await hydrate(app({ flags: engine(ROWS), context: PREMIUM }), app({ flags: engine(ROWS), context: PREMIUM }));
  expect([page.html(), page.kept()]).toEqual(['<b>panel</b>', true]);
});

test('where both are given, the server renders what the projection says: it is what the browser starts from', () => {
  const projection = onServer();
  expect(renderToString(app({ projection, flags: engine(ROWS), context: FREE }))).toBe('<b>panel</b>');
});

test('StrictMode hydrates without a word', async () => {
  const projection = onServer();
  const strict = <StrictMode>{app({ projection, flags: engine(ROWS), context: FREE })}</StrictMode>;
  const page = await hydrate(strict, strict);
  expect(page.html()).toBe('<i>upgrade</i>');
});

test('a part of the page that hydrates late still sees what the server rendered', async () => {
  const projection = onServer();
  let arrive!: () => void;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const Late = lazy(async () => {
    await arrived;
    return { default: () => <Gate feature="premium" /> };
  });
  const tree = (late: ReactNode, given: EsclusaProviderProps) =>
    app(given, [
      <Gate key="early" feature="premium" />,
      <Suspense key="late" fallback={null}>
        {late}
      </Suspense>,
    ]);
  const flags = engine();
  const page = await hydrate(
    tree(<Gate feature="premium" />, { projection }),
    tree(<Late />, { projection, flags, context: PREMIUM }),
  );
  act(() => publish(flags, changed({ name: 'premium', enabled: false })));
  expect(page.html()).toBe('<i>upgrade</i><!--$--><b>panel</b><!--/$-->');
  await act(async () => arrive());
  // React leaves its marks behind where the boundary was.
  expect(page.html().replace(/<!--.*?-->/g, '')).toBe('<i>upgrade</i><i>upgrade</i>');
});
