/** One flag: created, rolled out, previewed, saved, in conflict, undone; with a server that goes away and a session that ends. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findings, launch, overflow, picture, signIn, VARIANTS, watch } from './chromium.ts';
import { Esclusa } from './esclusa.ts';

const PEOPLE = 20_000;
const CRM = { name: 'crm', description: 'The new CRM', enabled: true, rollout_percentage: 10, target_plans: ['PREMIUM'], target_regions: ['CO', 'MX'] };

let browser: Browser;
let esclusa: Esclusa;

beforeAll(async () => {
  browser = await launch();
  esclusa = new Esclusa({ more: '[sample]\nfrom = "people.csv"\n' });
  const pick = (values: string[], at: number) => values[at % values.length];
  const rows = Array.from({ length: PEOPLE }, (_, at) => [`user-${at}`, `company-${at % 97}`, pick(['PREMIUM', 'ENTERPRISE', 'FREE'], at), pick(['ADMIN', 'USER'], at >> 2), pick(['CO', 'MX', 'PE', 'AR'], at >> 4), `u${at}@example.com`].join());
  writeFileSync(join(esclusa.folder, 'people.csv'), ['user,company,plan,role,region,email', ...rows].join('\n'));
  await esclusa.start();
  await esclusa.create(CRM);
});

afterAll(async () => {
  await browser?.close();
  await esclusa?.end();
});

test('the people that the page gets have no more than flags look at', async () => {
  const { body } = await esclusa.ask('GET', '/api/v1/people');
  const { people } = body as { people: { [name: string]: unknown }[] };
  expect(people).toHaveLength(PEOPLE);
  expect(Object.keys(people[0]!)).toEqual(['user', 'company', 'plan', 'role', 'region']);
});

test('create, roll out, see who, save, undo: with the keyboard alone', async () => {
  const { page, context, complaints } = await watch(browser, { locale: 'es-CO' });
  await signIn(page, esclusa, 'new');
  await page.getByLabel('Nombre del flag').waitFor();
  await page.keyboard.type('reportes');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Reportes nuevos');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'reportes' }).waitFor();
  const enabled = page.getByRole('switch');
  await enabled.focus();
  await page.keyboard.press('Space');
  const plans = page.getByRole('combobox', { name: 'Planes' });
  await plans.focus();
  await page.keyboard.type('ENTERPRISE,');
  await page.locator('.tag', { hasText: 'ENTERPRISE' }).waitFor();
  await page.keyboard.press('Escape');
  const share = page.getByRole('textbox', { name: 'Porcentaje' });
  await share.focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('12,5');
  await page.keyboard.press('Tab');
  const figures = page.locator('.figures').first();
  await expect.poll(async () => await figures.textContent(), { timeout: 60_000 }).toMatch(/Con tus cambios[1-9]/);
  await page.getByRole('button', { name: /^Guardar… [1-9]/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Motivo').waitFor();
  await page.keyboard.type('primeros clientes');
  await page.keyboard.press('Enter');
  await page.getByText('reportes se guardó.').waitFor();
  const saved = await esclusa.flag('reportes');
  expect(saved['rollout_percentage']).toBe(12.5);
  expect(saved['enabled']).toBeTruthy();
  // What the page has counted is what the server's engine answers.
  const shown = Number((await figures.locator('dd').first().textContent())!.split(/\s/)[0]!.replace(/\D/g, ''));
  const { body } = await esclusa.ask('POST', '/api/v1/preview', { key: 'reportes', flag: { enabled: false }, people: people() });
  expect((body as { people: { turned_off: number } }).people.turned_off).toBe(shown);
  await page.getByRole('button', { name: 'Deshacer' }).last().focus();
  await page.keyboard.press('Enter');
  await page.getByText('Se deshizo.').waitFor();
  expect((await esclusa.flag('reportes'))['enabled']).toBeFalsy();
  await page.getByRole('tab', { name: 'Historial' }).click();
  await page.getByText('“primeros clientes”').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

/** Those of the file that have the plan; the server takes a megabyte at once. */
function people() {
  return Array.from({ length: PEOPLE }, (_, at) => at).filter((at) => at % 3 === 1).map((at) => ({ user: `user-${at}`, plan: 'ENTERPRISE' }));
}

test('the preview follows the slider', async () => {
  const { page, context, complaints } = await watch(browser);
  await signIn(page, esclusa, 'flag?key=crm');
  const after = page.locator('.figures').first().locator('dd').nth(1);
  await after.waitFor();
  const slider = page.getByRole('slider', { name: 'Share' });
  await slider.focus();
  const times: number[] = [];
  for (let step = 0; step < 15; step += 1) {
    const before = await after.textContent();
    times.push(
      await page.evaluate(async (before) => {
        const [shown, thumb] = [document.querySelectorAll('.figures dd')[1], document.activeElement];
        const began = performance.now();
        thumb?.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
        thumb?.dispatchEvent(new KeyboardEvent('keyup', { key: 'ArrowRight', bubbles: true }));
        while (shown?.textContent === before && performance.now() - began < 30_000) {
          await new Promise((done) => setTimeout(done, 1));
        }
        return performance.now() - began;
      }, before),
    );
  }
  console.log(`the preview follows the slider after ${times.map(Math.round).join(', ')} ms, for ${PEOPLE} people`);
  expect(await page.getByRole('button', { name: /^Save…/ }).count()).toBe(1);
  // Generous, because machines are busy: without a worker that counts, nothing would come at all.
  expect(times.toSorted((a, b) => a - b)[7]).toBeLessThan(1_000);
  expect(complaints).toEqual([]);
  await context.close();
});

test('a conflict shows both values and loses nothing that was typed', async () => {
  const { page, context, complaints } = await watch(browser);
  await signIn(page, esclusa, 'flag?key=crm');
  const share = page.getByRole('textbox', { name: 'Share' });
  await share.fill('30');
  await share.press('Tab');
  await page.getByLabel('Description').fill('What I have typed');
  await esclusa.ask('PATCH', '/api/v1/flags/crm', { flag: { rollout_percentage: 55 } }, { 'if-match': '*' });
  await page.getByRole('button', { name: /^Save…/ }).click();
  await page.getByLabel('Reason').fill('more');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const row = page.getByRole('dialog').getByRole('row', { name: /^Share/ });
  expect(await row.textContent()).toBe('Share55%30%');
  await picture(page, 'conflict');
  expect(await findings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Keep theirs' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('crm is saved.').waitFor();
  const saved = await esclusa.flag('crm');
  expect([saved['rollout_percentage'], saved['description']]).toEqual([55, 'What I have typed']);
  expect(complaints).toEqual([]);
  await context.close();
});

test('a server that goes away and a session that ends lose nothing that was typed', async () => {
  const { page, context } = await watch(browser);
  await signIn(page, esclusa, 'flag?key=crm');
  await page.getByLabel('Description').fill('Typed while the server was away');
  await esclusa.stop();
  await page.getByRole('button', { name: /^Save…/ }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog').getByText('Nothing is lost: try again.').first().waitFor();
  await esclusa.start();
  await context.clearCookies();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByLabel('Admin token').fill(esclusa.token);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('crm is saved.').waitFor();
  expect((await esclusa.flag('crm'))['description']).toBe('Typed while the server was away');
  await context.close();
});

test('JSON shows the problems of the engine at their lines', async () => {
  const { page, context, complaints } = await watch(browser, { locale: 'es-CO' });
  await signIn(page, esclusa, 'flag?key=crm&tab=json');
  const text = page.getByLabel('El flag como JSON');
  const written = await text.inputValue();
  await text.fill(written.replace(/"rollout_percentage": [\d.]+/, '"rollout_percentage": 150'));
  await page.getByText('está fuera del rango').first().waitFor();
  expect(await page.locator('.violations li').first().textContent()).toMatch(/^línea \d+: \/rollout_percentage/);
  await text.fill('{');
  await page.getByText('Esto no se puede leer como JSON.').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('a browser without WebAssembly counts nobody, and does everything else', async () => {
  const { page, context } = await watch(browser);
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'));
  await signIn(page, esclusa, 'flag?key=crm');
  await page.getByText('This browser has no WebAssembly').waitFor();
  await page.getByLabel('Description').fill('Without an engine');
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('crm is saved.').waitFor();
  await context.close();
});

test.each(VARIANTS)('$name: axe finds nothing on a flag, its JSON, its history and in the dialog of saving', async ({ name, ...options }) => {
  const { page, context, complaints } = await watch(browser, options);
  await signIn(page, esclusa, 'flag?key=crm');
  await page.locator('.figures dd').first().waitFor();
  expect(await findings(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  await picture(page, `flag-${name}`);
  await page.getByRole('textbox', { name: /^(Share|Porcentaje)$/ }).fill('80');
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: /^(Save|Guardar)…/ }).click();
  await page.getByRole('dialog').waitFor();
  await page.waitForLoadState('networkidle');
  expect(await findings(page)).toEqual([]);
  await picture(page, `save-${name}`);
  await page.keyboard.press('Escape');
  for (const tab of ['JSON', /^(History|Historial)$/]) {
    await page.getByRole('tab', { name: tab }).click();
    await page.waitForLoadState('networkidle');
    expect(await findings(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await picture(page, `flag-${tab === 'JSON' ? 'json' : 'history'}-${name}`);
  }
  expect(complaints).toEqual([]);
  await context.close();
});
