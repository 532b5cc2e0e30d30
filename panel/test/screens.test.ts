/** Why, the plans, the overview, the history: what they say, in both languages, and how they look. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findings, launch, overflow, picture, signIn, VARIANTS, watch } from './chromium.ts';
import { Esclusa } from './esclusa.ts';

const SOON = new Date(Date.now() + 3 * 86_400_000).toISOString();
const FLAGS = [
  { name: 'crm_advanced', enabled: true, rollout_percentage: 40, target_plans: ['PREMIUM', 'ENTERPRISE'], target_regions: ['CO', 'MX', 'AR'] },
  { name: 'crm_reports', enabled: true, target_plans: ['ENTERPRISE'], prerequisites: [{ flag: 'crm_advanced', on: true }] },
  { name: 'loyalty', enabled: true, start_date: SOON },
  { name: 'wallet', enabled: true, schedule: [{ at: SOON, rollout_percentage: 50 }], rollout_percentage: 0 },
  { name: 'stopped', enabled: true },
];

let browser: Browser;
let esclusa: Esclusa;

beforeAll(async () => {
  [browser, esclusa] = [await launch(), await new Esclusa().start()];
  for (const flag of FLAGS) {
    await esclusa.create(flag);
  }
  await esclusa.ask('POST', '/api/v1/flags/stopped/rollback', { reason: 'errors at checkout' });
});

afterAll(async () => {
  await browser?.close();
  await esclusa?.end();
});

test('why: the first no is on top, in Spanish, and a past moment is asked of the flags as they were', async () => {
  const { page, context, complaints } = await watch(browser, { locale: 'es-CO' });
  await signIn(page, esclusa, 'why?flag=crm_advanced');
  await page.getByLabel('Contexto, como JSON').fill('{"user": "u1", "plan": "FREE", "region": "CO"}');
  await page.getByRole('button', { name: 'Explicar' }).click();
  await page.getByText('plan: FREE no está entre los destinatarios: ENTERPRISE y PREMIUM.').first().waitFor();
  expect(await page.locator('.first-no').textContent()).toMatch(/^Porque: plan: FREE no está/);
  await page.getByLabel('Contexto, como JSON').fill('{"user": "u1", "plan": "PREMIUM", "region": "CO"}');
  await page.getByRole('button', { name: 'Explicar' }).click();
  await page.getByText(/Su porcentaje es 40\s?%: u1 está en/).first().waitFor();
  // Before it was made there was no such flag.
  await page.getByLabel('En qué momento').fill('2020-01-01T00:00');
  await page.getByRole('button', { name: 'Explicar' }).click();
  await page.getByText('Esto ya no existe').waitFor();
  await page.getByLabel('Contexto, como JSON').fill('plan: FREE');
  await page.getByRole('button', { name: 'Explicar' }).click();
  await page.getByText('Esto no es un objeto JSON').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('the plans have the answers of the engine', async () => {
  const { page, context, complaints } = await watch(browser);
  await signIn(page, esclusa, 'plans');
  const row = page.getByRole('row', { name: /^crm_advanced/ });
  await row.waitFor();
  const columns = await page.getByRole('columnheader').allTextContents();
  expect(columns).toEqual(['Name of the flag', 'ENTERPRISE', 'FREE', 'PREMIUM']);
  const cells = await row.getByRole('cell').allTextContents();
  expect(cells[1]).toBe('○ off');
  expect(cells[0]).toMatch(/^◐ \d/);
  expect(await page.getByRole('row', { name: /^loyalty/ }).getByRole('cell').allTextContents()).toEqual(['○ off', '○ off', '○ off']);
  expect(complaints).toEqual([]);
  await context.close();
});

test('the overview counts, and has a table beside its picture', async () => {
  const { page, context, complaints } = await watch(browser);
  await signIn(page, esclusa, 'overview');
  await page.getByText('In the last seven days something was rolled back.').waitFor();
  const figures = await page.locator('.figures > div').allTextContents();
  expect(figures).toEqual(['Active flags3', 'Partly rolled out2', 'Times and steps ahead2', 'Stopped by a guard0', 'Rollbacks in seven days1', 'Flags that cannot be used0']);
  await page.getByRole('row', { name: /wallet.*share becomes 50%/ }).waitFor();
  await page.getByRole('row', { name: /loyalty.*begins/ }).waitFor();
  await page.getByRole('row', { name: /stopped.*Emergency rollback/ }).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test.each(VARIANTS)('$name: axe finds nothing on why, the plans, the overview, the history and a new flag', async ({ name, ...options }) => {
  const { page, context, complaints } = await watch(browser, options);
  await signIn(page, esclusa, 'why');
  await page.getByRole('button', { name: /^(Explain|Explicar)$/ }).click();
  await page.locator('article').first().waitFor();
  await page.locator('summary').first().click();
  for (const place of ['why', 'plans', 'overview', 'history', 'new']) {
    if (place !== 'why') {
      await page.goto(esclusa.panel + place);
      await page.locator('h1').waitFor();
      await page.waitForLoadState('networkidle');
    }
    expect(await findings(page), place).toEqual([]);
    expect(await overflow(page), place).toBe(0);
    await picture(page, `${place}-${name}`);
  }
  expect(complaints).toEqual([]);
  await context.close();
});
