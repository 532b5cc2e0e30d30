/** Signing in, the list of flags, and the emergency rollback, against the real server. */
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findings, launch, overflow, picture, signIn, VARIANTS, watch } from './chromium.ts';
import { Esclusa } from './esclusa.ts';

const MARKUP = '<img src=x onerror=alert(1)>';
const FLAGS = [
  { name: 'crm_advanced_features', description: 'Custom fields, saved views and bulk edits', enabled: true, rollout_percentage: 10, target_plans: ['PREMIUM', 'ENTERPRISE'], target_roles: ['ADMIN', 'OWNER'], target_regions: ['CO', 'MX', 'AR'] },
  { name: 'calls_ai_voice', description: 'The voice agent takes the first call', enabled: true, target_plans: ['ENTERPRISE'], start_date: '2090-01-01T00:00:00Z' },
  { name: 'loyalty_referrals', description: MARKUP, enabled: true },
  { name: 'affiliate/50%', description: 'Its name has to be written in an address', enabled: false, target_regions: ['PE'] },
];

let browser: Browser;
let esclusa: Esclusa;

beforeAll(async () => {
  [browser, esclusa] = [await launch(), await new Esclusa().start()];
  for (const flag of FLAGS) {
    await esclusa.create(flag);
  }
});

afterAll(async () => {
  await browser?.close();
  await esclusa?.end();
});

test('a wrong token is refused, a right one shows the flags, and leaving ends the session', async () => {
  const { page, context, complaints, asked } = await watch(browser);
  await page.goto(esclusa.panel);
  await page.getByLabel('Admin token').fill('esc_admin_0000_0000');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('no valid admin token').waitFor();
  await page.getByLabel('Admin token').fill(esclusa.token);
  await page.keyboard.press('Enter');
  await page.getByRole('row', { name: 'crm_advanced_features' }).waitFor();
  await expect(page.getByText(MARKUP).count()).resolves.toBe(1);
  await page.getByRole('button', { name: /^Sign out/ }).click();
  await page.getByLabel('Admin token').waitFor();
  await page.reload();
  await page.getByLabel('Admin token').waitFor();
  expect(complaints).toEqual([]);
  expect(asked.filter((address) => !address.startsWith(esclusa.origin))).toEqual([]);
  await context.close();
});

test('the first page has at most 350 KB of JavaScript, packed, and nothing of the engine', async () => {
  const { page, context, asked } = await watch(browser);
  await signIn(page, esclusa);
  await page.getByRole('row', { name: 'crm_advanced_features' }).waitFor();
  const files = asked.filter((address) => /\.(js|wasm)$/.test(address));
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((address) => address.endsWith('.wasm'))).toEqual([]);
  const sizes = await Promise.all(files.map(async (address) => gzipSync(Buffer.from(await (await fetch(address)).arrayBuffer())).length));
  const size = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`the first page: ${size} bytes of JavaScript, packed`);
  expect(size).toBeLessThan(350_000);
  const [first] = files;
  const answer = await fetch(first ?? '');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  await context.close();
});

test('ten thousand flags are listed, and only those that are seen are drawn', async () => {
  const other = await new Esclusa().start();
  const insert = "import sqlite3; db = sqlite3.connect('esclusa.db', timeout=60); db.executemany('INSERT INTO feature_flags (name, enabled) VALUES (?, 1)', [(f'flag_{at:05}',) for at in range(10000)]); db.commit()";
  execFileSync('python3', ['-c', insert], { cwd: other.folder });
  const { page, context, complaints } = await watch(browser);
  await signIn(page, other);
  await page.getByText('10,000 of 10,000 flags').waitFor();
  expect(await page.getByRole('row').count()).toBeLessThan(60);
  await page.getByRole('row', { name: 'flag_00000' }).focus();
  await page.keyboard.press('End');
  await page.getByRole('row', { name: 'flag_09999' }).waitFor();
  await page.getByLabel('Search by name or description').fill('0420');
  await page.getByText('11 of 10,000 flags').waitFor();
  expect(complaints).toEqual([]);
  await context.close();
  await other.end();
});

test('filters are in the address', async () => {
  const { page, context, complaints } = await watch(browser);
  await signIn(page, esclusa, '?plan=PREMIUM');
  await page.getByText('3 of 4 flags').waitFor();
  await page.getByRole('button', { name: /^Any State$/ }).click();
  await page.getByRole('option', { name: 'Partly on' }).click();
  await page.getByText('1 of 4 flags').waitFor();
  expect(new URL(page.url()).search).toBe('?plan=PREMIUM&state=partial');
  await page.goto(`${esclusa.panel}?q=voice`);
  await page.getByText('1 of 4 flags').waitFor();
  await page.getByRole('row', { name: 'calls_ai_voice' }).waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});

test('a rollback takes three keystrokes and a name, and is undone at once', async () => {
  const { page, context, complaints } = await watch(browser);
  await signIn(page, esclusa);
  await page.getByRole('row', { name: 'loyalty_referrals' }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('searchbox', { name: 'Name of the flag' }).waitFor();
  await page.keyboard.type('loyalty_ref');
  await page.getByRole('option', { name: 'loyalty_referrals' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByText(/loyalty_referrals is off for everybody/).waitFor();
  expect((await esclusa.flag('loyalty_referrals'))['enabled']).toBeFalsy();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('It is undone.').waitFor();
  expect((await esclusa.flag('loyalty_referrals'))['enabled']).toBeTruthy();
  expect(complaints).toEqual([]);
  await context.close();
});

test.each(VARIANTS)('$name: axe finds nothing, nothing is cut off', async ({ name, ...options }) => {
  const { page, context, complaints } = await watch(browser, options);
  await page.goto(esclusa.panel);
  await page.locator('form').waitFor();
  expect(await findings(page)).toEqual([]);
  await picture(page, `sign-in-${name}`);
  await signIn(page, esclusa);
  await page.getByRole('row', { name: 'crm_advanced_features' }).waitFor();
  expect(await findings(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  await picture(page, `flags-${name}`);
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').waitFor();
  expect(await findings(page)).toEqual([]);
  await picture(page, `emergency-${name}`);
  expect(complaints).toEqual([]);
  await context.close();
});

test('it works below the path of a public address', async () => {
  const other = await new Esclusa({ prefix: '/tools/flags' }).start();
  const proxy = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/tools\/flags/, '');
    const body: Buffer[] = [];
    request.on('data', (part: Buffer) => body.push(part));
    request.on('end', async () => {
      const headers = Object.entries(request.headers).filter(([name]) => !['connection', 'transfer-encoding', 'content-length'].includes(name));
      const { method } = request;
      const answer = await fetch(other.origin + path, { method: method ?? 'GET', headers: headers as [string, string][], redirect: 'manual', ...(body.length > 0 ? { body: Buffer.concat(body) } : {}) });
      const kept = [...answer.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding'].includes(name));
      response.writeHead(answer.status, kept.flat()).end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  const { port } = proxy.address() as { port: number };
  const { page, context, complaints } = await watch(browser);
  await page.goto(`http://127.0.0.1:${port}/tools/flags/`);
  await page.getByLabel('Admin token').fill(other.token);
  await page.keyboard.press('Enter');
  await page.getByText('There are no flags yet.').waitFor();
  expect(page.url()).toBe(`http://127.0.0.1:${port}/tools/flags/panel/`);
  expect(complaints).toEqual([]);
  await context.close();
  proxy.close();
  await other.end();
});
