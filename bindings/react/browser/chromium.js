/** A headless Chromium, and pages in it that report everything they say. Plain JavaScript: a program uses it too. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** How long a condition may take to come true: generous, because the machines that run this are small and busy. */
export const PATIENCE_MS = 60_000;

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Nothing that would ask the network for anything. */
const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @returns {Promise<import('playwright-core').Browser>} */
export async function launch() {
  const places = [process.env['ESCLUSA_CHROMIUM'] ?? '', ...PLACES];
  const executablePath = places.find((place) => place !== '' && existsSync(place));
  if (!executablePath) throw new Error(`no Chromium found, expected one of ${PLACES.join(', ')} or ESCLUSA_CHROMIUM`);
  return await chromium.launch({ executablePath, args: OPTIONS });
}

/**
 * A page in a context of its own, with the errors and warnings, thrown or written, that it came up with.
 *
 * @param {import('playwright-core').Browser} browser
 */
export async function watch(browser) {
  const context = await browser.newContext({ viewport: { width: 1320, height: 760 } });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (problem) => complaints.push(String(problem)));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText ?? 'failed'}`));
  return { page, context, complaints };
}

/**
 * The complaints without warnings of unusable context fields, which many vectors have on purpose.
 *
 * @param {string[]} complaints
 */
export function notOfContexts(complaints) {
  return complaints.filter((complaint) => !complaint.startsWith('esclusa: context: '));
}
