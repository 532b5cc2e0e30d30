/** Chromium, and pages in it that keep everything that goes wrong. */
import { existsSync, mkdirSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Esclusa } from './esclusa.ts';

/** How long a condition may take to come true: generous, because the machines that run this are small and busy. */
export const PATIENCE_MS = 60_000;
const PLACES = [process.env['ESCLUSA_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Nothing that would ask the network for anything. */
const OPTIONS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
/** Where the pictures are kept. */
const PICTURES = new URL('../../target/panel/', import.meta.url).pathname;

export async function launch(): Promise<Browser> {
  const executablePath = PLACES.find((place) => place !== '' && existsSync(place));
  if (executablePath === undefined) {
    throw new Error(`no Chromium found, expected one of ${PLACES.join(', ')} or ESCLUSA_CHROMIUM`);
  }
  mkdirSync(PICTURES, { recursive: true });
  return await chromium.launch({ executablePath, args: OPTIONS });
}

export interface Watched {
  page: Page;
  context: BrowserContext;
  /** Errors, and what the content security policy forbade. */
  complaints: string[];
  /** Every address that was asked for. */
  asked: string[];
}

export async function watch(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-US', timezoneId: 'America/Bogota', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const [complaints, asked]: [string[], string[]] = [[], []];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (problem) => complaints.push(String(problem)));
  page.on('console', (message) => {
    // A refusal of the server is the page's to show.
    if ((message.type() === 'error' || message.type() === 'warning') && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  return { page, context, complaints, asked };
}

export async function signIn(page: Page, esclusa: Esclusa, path = ''): Promise<void> {
  await page.goto(esclusa.panel + path);
  await page.getByLabel(/^(Admin token|Token de administración)$/).fill(esclusa.token);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').waitFor();
}

/** What axe finds on the page as it is. */
export async function findings(page: Page): Promise<string[]> {
  // Not by a script element, which the policy forbids.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 300)} ${failureSummary ?? ''}`));
  });
  return found;
}

/** How many pixels of the page are beyond the edge of the window. */
export const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export const picture = (page: Page, name: string) => page.screenshot({ path: `${PICTURES}${name}.png` });

/** The four ways in which each screen is looked at. */
export const VARIANTS = [
  { name: 'en-light', locale: 'en-US', colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  { name: 'es-dark', locale: 'es-CO', colorScheme: 'dark', viewport: { width: 1280, height: 860 } },
  { name: 'es-light-320', locale: 'es-CO', colorScheme: 'light', viewport: { width: 320, height: 720 } },
  { name: 'en-dark-320', locale: 'en-US', colorScheme: 'dark', viewport: { width: 320, height: 720 } },
] as const;
