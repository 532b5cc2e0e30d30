/** The oldest React that is promised: the package as it is built, in Chromium, with React's own development checks. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import type { InlineConfig, LibraryOptions } from 'vite';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { launch, watch } from './chromium.js';
import type { Running } from './example-server.ts';
import type { Steps } from './react-18/page.tsx';
import { ROOT, serveRepository } from './repository-server.js';

const FOLDER = join(import.meta.dirname, 'react-18');
const OUTPUT = join(ROOT, 'target/react-18');

let browser: Browser;
let running: Running;

beforeAll(async () => {
  if (!existsSync(join(FOLDER, 'node_modules/react-dom'))) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--workspaces=false'], { cwd: FOLDER, stdio: 'pipe' });
  }
  const shared: InlineConfig = {
    root: FOLDER,
    configFile: false,
    logLevel: 'error',
    mode: 'development',
    define: { 'process.env.NODE_ENV': '"development"' },
    resolve: { alias: [{ find: /^(react|react-dom)($|\/)/, replacement: `${FOLDER}/node_modules/$1$2` }] },
  };
  const output = { emptyOutDir: true, minify: false };
  const lib: LibraryOptions = { entry: 'page.tsx', formats: ['es'], fileName: 'page' };
  await build({ ...shared, build: { ...output, outDir: join(OUTPUT, 'browser'), lib } });
  await build({ ...shared, ssr: { noExternal: true }, build: { ...output, outDir: join(OUTPUT, 'node'), ssr: 'page.tsx' } });
  [browser, running] = [await launch(), await serveRepository()];
});

afterAll(async () => {
  await browser.close();
  await running.stop();
});

test('React 18.0 renders, hydrates and hands over without a word', async () => {
  const { page, context, complaints } = await watch(browser);
  const warned = vi.spyOn(console, 'error');
  await page.goto(running.url);
  const steps = await page.evaluateHandle(async () => {
    const module = (await window.load('/target/react-18/browser/page.mjs')) as { begin(engine: string): Promise<Steps> };
    return await module.begin('/bindings/wasm/dist/index.js');
  });
  expect(await steps.evaluate((page_) => page_.version)).toMatch(/^18\.0\.0/);
  const html = '<b>panel</b><i>steady</i>';
  const server = (await import(/* @vite-ignore */ join(OUTPUT, 'node/page.mjs'))) as { render(): string };
  expect(server.render()).toBe(html);
  expect(await steps.evaluate((page_, text) => page_.hydrate(text), server.render())).toBe(html);
  expect(await steps.evaluate((page_) => page_.arrive())).toBe(html);
  expect(await steps.evaluate((page_) => page_.rollBack())).toBe('<i>upgrade</i><i>steady</i>');
  expect(await steps.evaluate((page_) => page_.steadyRenders())).toBe(0);
  expect(complaints).toEqual([]);
  expect(warned.mock.calls).toEqual([]);
  await context.close();
});
