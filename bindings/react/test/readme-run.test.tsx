/** The code of the README runs, as the first page of an app that has a session, flags and components of its own. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import type { Flags } from '@esclusa/wasm/full';
import type { ComponentType } from 'react';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

const FOLDER = join(import.meta.dirname, '..');
type Session = Record<string, unknown>;

/** Beside the tests, so that it is compiled as they are. */
const WORK = join(FOLDER, 'test/readme-blocks');

/** The module that the README imports from: what the reader's application has. */
const APPLICATION = `import { EsclusaProvider, FeatureGate } from '@esclusa/react';
import { Flags } from '@esclusa/wasm/full';
export interface Session { user: string; company: string; plan: string; [attribute: string]: unknown }
export const session: Session = { user: 'user-42', company: 'acme', plan: 'PREMIUM' };
export const flags = new Flags();
flags.publishSync('[{"name": "crm_advanced_features", "enabled": true, "client": true, "target_plans": ["PREMIUM"]}, {"name": "crm_bulk_import", "enabled": false}]');
export async function loadFlags() { return flags; }
export const AdvancedCRMPanel = () => <p>Advanced CRM</p>;
export const Upgrade = () => <p>Upgrade</p>;
export const App = () => <FeatureGate feature="crm_advanced_features" fallback={<Upgrade />}><AdvancedCRMPanel /></FeatureGate>;
// The test's own import would be of another copy.
export { EsclusaProvider };
`;

/** A block by words that it alone has. */
const BLOCKS = {
  first: 'const projection = {',
  gates: 'CRMAdvancedFeatures',
  browser: "await import('@esclusa/wasm')",
  server: 'renderToString',
  hydrated: 'hydrateRoot',
  projections: 'useState<Projection',
  tracking: 'PageTracker',
  tests: 'TestProvider',
};
type Component = ComponentType<Record<string, unknown>>;
const block = (name: keyof typeof BLOCKS): Promise<unknown> => import(/* @vite-ignore */ join(WORK, `${name}.tsx`));
const application = (): Promise<{ flags: Flags; session: Session; EsclusaProvider: Component }> => import(/* @vite-ignore */ join(WORK, 'crm.tsx'));

beforeAll(() => {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK);
  writeFileSync(join(WORK, 'crm.tsx'), APPLICATION);
  const text = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  const all = [...text.matchAll(/^( *)```tsx\n([\s\S]*?)\n\1```$/gm)].map((match) => match[2] ?? '');
  for (const [name, words] of Object.entries(BLOCKS)) {
    const [found, ...more] = all.filter((code) => code.includes(words));
    expect([found === undefined, more.length]).toEqual([false, 0]);
    writeFileSync(join(WORK, `${name}.tsx`), `${found}\n`);
  }
  expect(all.length).toBe(Object.keys(BLOCKS).length);
});

afterEach(() => {
  vi.unstubAllGlobals();
  cleanup();
  document.body.innerHTML = '';
});

afterAll(() => rmSync(WORK, { recursive: true, force: true }));

test('the first page of the repository', async () => {
  const text = readFileSync(join(FOLDER, '../../README.md'), 'utf8');
  const [first, screenOfThree, ...more] = [...text.matchAll(/^```tsx\n([\s\S]*?)\n```$/gm)].map((match) => match[1] ?? '');
  expect(more).toEqual([]);
  writeFileSync(join(WORK, 'page.tsx'), `${first}\n`);
  writeFileSync(join(WORK, 'steps.tsx'), `${screenOfThree}\n`);
  const { Page } = (await import(/* @vite-ignore */ join(WORK, 'page.tsx'))) as { Page: Component };
  const { Screen } = (await import(/* @vite-ignore */ join(WORK, 'steps.tsx'))) as { Screen: Component };
  render(<Page />);
  screen.getByText('The new CRM');
  cleanup();
  render(<Screen projection={{ crm_advanced_features: { enabled: false, value: false } }} />);
  screen.getByText('Upgrade to PREMIUM');
});

test('a first answer', async () => {
  const { Page } = (await block('first')) as { Page: Component };
  render(<Page />);
  screen.getByText('The new CRM');
});

test('gates and hooks', async () => {
  const { CRMAdvancedFeatures, ImportButton } = (await block('gates')) as { CRMAdvancedFeatures: Component; ImportButton: Component };
  const { EsclusaProvider, flags, session } = await application();
  render(
    <EsclusaProvider flags={flags} context={session}>
      <CRMAdvancedFeatures />
      <ImportButton />
    </EsclusaProvider>,
  );
  screen.getByText('Advanced CRM');
  expect((screen.getByText('Import contacts') as HTMLButtonElement).disabled).toBe(true);
});

test('in the browser alone', async () => {
  const { flags, session } = await application();
  vi.stubGlobal('fetch', async (path: string) => {
    expect(path).toBe('/api/flags');
    return new Response(flags.clientSnapshot(session));
  });
  await act(() => block('browser'));
  await waitFor(() => screen.getByText('Advanced CRM'));
});

test('rendered on a server and hydrated', async () => {
  const { page } = (await block('server')) as { page(session: Session): string };
  const html = page((await application()).session);
  expect(html).toContain('Advanced CRM');
  document.body.innerHTML = html.replace('<!doctype html>', '').replace(/<script type="module".*/, '');
  await act(() => block('hydrated'));
  await waitFor(() => screen.getByText('Advanced CRM'));
});

test('on projections alone', async () => {
  vi.stubGlobal('fetch', async (path: string) => {
    expect(path).toBe('/api/projection?company=acme');
    return new Response('{"crm_advanced_features": {"enabled": true, "value": true}}');
  });
  const { Root } = (await block('projections')) as { Root: ComponentType<{ company: string }> };
  render(<Root company="acme" />);
  await waitFor(() => screen.getByText('Advanced CRM'));
});

test('what features do to users', async () => {
  const { Page, CRM, ExportButton } = (await block('tracking')) as { Page: Component; CRM: Component; ExportButton: Component };
  const { EsclusaProvider, flags, session } = await application();
  render(<Page />);
  screen.getByText('Advanced CRM');
  cleanup();
  const events: [string, object | undefined][] = [];
  const tracker = { track: (event: string, outcome?: object) => void events.push([event, outcome]) };
  render(
    <EsclusaProvider flags={flags} context={session} tracker={tracker}>
      <CRM />
      <ExportButton />
    </EsclusaProvider>,
  );
  screen.getByText('Advanced CRM');
  screen.getByText('Export').click();
  expect(events.map(([event, outcome]) => [event, (outcome as { action: string }).action])).toEqual([
    ['crm_advanced_features', 'view'],
    ['crm_advanced_features', 'click'],
  ]);
});

test('in your tests', async () => {
  await block('tests');
  screen.getByText('Advanced CRM');
});
