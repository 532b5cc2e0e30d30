/** The example from end to end: its own server, the built page, a real browser. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, watch } from './chromium.js';
import { serveExample } from './example-server.ts';
import type { Running } from './example-server.ts';

const ARTEFACTS = join(import.meta.dirname, '../../../target/artefacts');

const PANEL = '[data-testid=advanced]';
const UPGRADE = '[data-testid=upgrade]';
const ENGINE = 'text=Answered by the engine in this tab.';

let browser: Browser;

beforeAll(async () => {
  mkdirSync(ARTEFACTS, { recursive: true });
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
});

async function choose(page: Page, choice: string): Promise<void> {
  await page.getByText(choice, { exact: true }).first().click();
}

function text(page: Page, testId: string): Promise<string | null> {
  return page.getByTestId(testId).textContent();
}

describe('as it is built', () => {
  let running: Running;

  beforeAll(async () => {
    running = await serveExample();
  });

  afterAll(async () => {
    await running.stop();
  });

  test('the HTML of the server has what the gate lets through, and nothing else', async () => {
    const on = await (await fetch(running.url)).text();
    expect(on).toContain('data-testid="advanced"');
    expect(on).toContain('data-testid="forecast"');
    expect(on).not.toContain('data-testid="upgrade"');
    const off = await (await fetch(`${running.url}?user=sofia`)).text();
    expect(off).toContain('data-testid="upgrade"');
    expect(off).not.toContain('data-testid="advanced"');
  });

  test('without JavaScript the page shows the same', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(running.url);
    expect(await page.locator(PANEL).isVisible()).toBe(true);
    await context.close();
  });

  test('the browser takes the page over as it is, and the engine takes over without a flicker', async () => {
    const { page, context, complaints } = await watch(browser);
    // The WebAssembly waits until the page has been looked at.
    let release!: () => void;
    const looked = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/*.wasm', async (route) => {
      await looked;
      await route.continue();
    });
    await page.addInitScript(watchPanel);
    await page.goto(running.url);
    await page.waitForFunction(isHydrated);
    expect(await text(page, 'from')).toBe('Answered by the values that the server sent.');
    expect(await page.locator(PANEL).isVisible()).toBe(true);
    await page.evaluate(() => document.querySelector('[data-testid=advanced]')?.setAttribute('data-mine', 'yes'));
    release();
    await page.locator(ENGINE).waitFor();
    // The very node that the server sent is still there, and it was never away.
    expect(await page.locator(PANEL).getAttribute('data-mine')).toBe('yes');
    const changes = () => page.evaluate(() => (window as unknown as { changes: string[] }).changes.length);
    expect(await changes()).toBe(0);
    await page.screenshot({ path: join(ARTEFACTS, 'react-example.png'), fullPage: true });
    // And it would have been noticed.
    await choose(page, 'FREE');
    await page.locator(UPGRADE).waitFor();
    expect(await changes()).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a switch works before the engine is there: the server answers', async () => {
    const { page, context, complaints } = await watch(browser);
    const wasm: (() => void)[] = [];
    await page.route('**/*.wasm', (route) => void wasm.push(() => void route.continue()));
    await page.goto(running.url);
    await page.waitForFunction(isHydrated);
    await choose(page, 'FREE');
    await page.locator(UPGRADE).waitFor();
    expect(await text(page, 'from')).toBe('Answered by the values that the server sent.');
    // The engine that comes now was fed for the caller of the page; it still answers for the one who asks.
    await expect.poll(() => wasm.length, { timeout: 60_000 }).toBe(1);
    wasm[0]?.();
    await page.locator(ENGINE).waitFor();
    expect(await page.locator(UPGRADE).isVisible()).toBe(true);
    expect(await page.locator('.tour').isVisible()).toBe(true);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('the switches change the screen at once, and the panel says why', async () => {
    const { page, context, complaints } = await watch(browser);
    await page.goto(running.url);
    await page.locator(ENGINE).waitFor();
    expect(await text(page, 'reason')).toBe('SPLIT');
    expect(await page.getByTestId('first-no').count()).toBe(0);
    const cases = [
      ['BASIC', 'BASIC', 'DEFAULT'],
      ['PREMIUM', null, 'SPLIT'],
      ['AGENT', 'AGENT', 'DEFAULT'],
      ['OWNER', null, 'SPLIT'],
      ['ES', 'ES', 'DEFAULT'],
      ['AR', null, 'SPLIT'],
      ['sofia', '24405', 'SPLIT'],
      ['mateo', null, 'SPLIT'],
    ] as const;
    for (const [choice, why, reason] of cases) {
      await choose(page, choice);
      await page.locator(why === null ? PANEL : UPGRADE).waitFor();
      expect(await text(page, 'reason'), choice).toBe(reason);
      if (why !== null) expect(await text(page, 'first-no'), choice).toContain(why);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('flags of this tab answer though the server is away', async () => {
    const { page, context, complaints } = await watch(browser);
    await page.goto(running.url);
    await page.locator(ENGINE).waitFor();
    await page.route('**/api/**', () => {});
    await choose(page, 'FREE');
    await page.locator(UPGRADE).waitFor();
    await choose(page, 'ENTERPRISE');
    await page.locator(PANEL).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('another company brings what the server decided for it', async () => {
    const { page, context, complaints } = await watch(browser);
    await page.goto(running.url);
    await page.locator(ENGINE).waitFor();
    expect(await page.locator('h1').textContent()).toContain('Andina Seguros');
    await choose(page, 'Taller Sol');
    await page.locator('h1', { hasText: 'Norte CRM' }).waitFor();
    await choose(page, 'Puerto Norte');
    await page.locator('h1', { hasText: 'Puerto Norte' }).waitFor();
    await choose(page, 'Andina Seguros');
    await choose(page, 'ENTERPRISE');
    await choose(page, 'OWNER');
    await page.getByText('Audit log', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('the emergency rollback takes the feature away, and restoring gives it back to the same users', async () => {
    const { page, context, complaints } = await watch(browser);
    await page.goto(running.url);
    await page.locator(ENGINE).waitFor();
    await page.getByText('Emergency rollback').click();
    await page.locator(UPGRADE).waitFor();
    expect(await text(page, 'reason')).toBe('DISABLED');
    expect(await text(page, 'first-no')).toContain('rolled_back');
    await page.screenshot({ path: join(ARTEFACTS, 'react-example-off.png'), fullPage: true });
    // A new caller does not get it either, nor does the server render it.
    expect(await (await fetch(running.url)).text()).not.toContain('data-testid="advanced"');
    await page.reload();
    await page.locator(ENGINE).waitFor();
    expect(await page.locator(UPGRADE).isVisible()).toBe(true);
    await page.getByText('Restore the feature').click();
    await page.locator(PANEL).waitFor();
    expect(await text(page, 'reason')).toBe('SPLIT');
    expect(complaints).toEqual([]);
    await context.close();
  });
});

test('in development, through the sources, the page works too', async () => {
  const running = await serveExample('--dev');
  const { page, context, complaints } = await watch(browser);
  // Vite may find out on the way what it has to bundle first, and then loads the page again.
  await page.goto(running.url);
  await page.locator(ENGINE).waitFor();
  await choose(page, 'FREE');
  await page.locator(UPGRADE).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
  await running.stop();
});

/** Runs in the page: React has taken the button over. */
function isHydrated(): boolean {
  const button = document.querySelector('.wide');
  return button !== null && Object.keys(button).some((name) => name.startsWith('__reactProps'));
}

/** Runs in the page: notes whenever the panel, or what stands in for it, comes or goes after the page was parsed. */
function watchPanel(): void {
  const changes: string[] = [];
  Object.assign(window, { changes });
  const wanted = '[data-testid=advanced], [data-testid=upgrade], [data-testid=forecast]';
  // The page is parsed, and no script of it has run.
  document.addEventListener('readystatechange', () => {
    if (document.readyState !== 'interactive') return;
    new MutationObserver((records) => {
      for (const record of records) {
        for (const node of [...record.addedNodes, ...record.removedNodes]) {
          if (node instanceof Element && (node.matches(wanted) || node.querySelector(wanted))) changes.push(node.outerHTML);
        }
      }
    }).observe(document, { childList: true, subtree: true });
  });
}
