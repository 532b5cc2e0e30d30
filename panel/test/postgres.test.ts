/** The main path on the team's own table in Postgres. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import pg from 'pg';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, signIn, watch } from './chromium.ts';
import { Esclusa, PROGRAM } from './esclusa.ts';

const SERVERS = process.env['ESCLUSA_LOOPBACK'] ?? new URL('../../target/debug/esclusa-loopback', import.meta.url).pathname;
/** The table of the users' notes, as it is there: it has neither a schedule nor variants. */
const TABLES = `
  CREATE TABLE feature_flags (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE NOT NULL, description text, enabled boolean DEFAULT false,
    rollout_percentage integer DEFAULT 0, target_plans text[], target_roles text[], target_companies uuid[], target_regions text[], start_date timestamptz, end_date timestamptz);
  CREATE TABLE release_history (id bigserial PRIMARY KEY, feature_flag_id uuid, action text, old_value jsonb, new_value jsonb, performed_by text, created_at timestamptz DEFAULT now());
  INSERT INTO feature_flags (name, enabled, rollout_percentage, target_plans) VALUES ('crm_advanced_features', true, 10, '{PREMIUM,ENTERPRISE}');`;

let servers: ChildProcess;
let browser: Browser;
let esclusa: Esclusa;

beforeAll(async () => {
  servers = spawn(SERVERS, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: servers.stdout! })[Symbol.asyncIterator]();
  await lines.next();
  servers.stdin!.write('{"postgres": "start"}\n');
  const { postgres } = JSON.parse((await lines.next()).value as string) as { postgres: string };
  const client = new pg.Client(postgres);
  await client.connect();
  await client.query(TABLES);
  await client.end();
  execFileSync(PROGRAM, ['migrate', postgres, '--watch', 'feature_flags'], { stdio: 'pipe' });
  [browser, esclusa] = [await launch(), await new Esclusa({ store: postgres }).start()];
});

afterAll(async () => {
  await browser?.close();
  await esclusa?.end();
  servers?.stdin?.end();
});

test('a flag is widened, rolled back by the keyboard, and put back, in the table that was there', async () => {
  const { page, context, complaints } = await watch(browser);
  await signIn(page, esclusa, 'flag?key=crm_advanced_features');
  await page.getByText('The table has no column schedule.').waitFor();
  const share = page.getByRole('textbox', { name: 'Share' });
  await share.fill('25');
  await share.press('Tab');
  await page.getByRole('button', { name: /^Save…/ }).click();
  await page.getByLabel('Reason').fill('second week');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('crm_advanced_features is saved.').waitFor();
  expect((await esclusa.flag('crm_advanced_features'))['rollout_percentage']).toBe(25);
  await page.keyboard.press('Control+k');
  await page.getByRole('searchbox', { name: 'Name of the flag' }).waitFor();
  await page.keyboard.type('crm_adv');
  await page.getByRole('option', { name: 'crm_advanced_features' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByText(/crm_advanced_features is off for everybody/).waitFor();
  expect((await esclusa.flag('crm_advanced_features'))['enabled']).toBe(false);
  await page.goto(`${esclusa.panel}history`);
  await page.getByRole('button', { name: /^Undo “Emergency rollback”/ }).click();
  await page.getByText('It is undone.').waitFor();
  const row = await esclusa.flag('crm_advanced_features');
  expect([row['enabled'], row['rollout_percentage']]).toEqual([true, 25]);
  expect(complaints).toEqual([]);
  await context.close();
});
