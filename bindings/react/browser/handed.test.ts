/**
 * What reaches a browser holds nothing that is not meant for it: no rule, no company, no user, and no flag that was not
 * asked for or not marked `client`. The bytes themselves are searched.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Flags } from '@esclusa/wasm/full';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXAMPLE, serveExample } from './example-server.ts';
import type { Running } from './example-server.ts';
import { ROOT } from './repository-server.js';

type Row = { readonly [column: string]: unknown };

/** The columns that may reach a browser, of a flag without personal targeting [10.4]. */
const MAY_LEAVE = new Set([
  ...['name', 'enabled', 'status', 'rollout_percentage', 'target_plans', 'target_roles', 'target_regions', 'start_date'],
  ...['end_date', 'bucket_by', 'salt', 'variants', 'off_value', 'schedule', 'client'],
]);

/** Columns that say who gets a flag by name, or by a rule. */
const NAMING = ['rules', 'prerequisites', 'overrides', 'target_companies', 'target_users', 'segments', 'when'];

/** Words that conditions are written with, and that mean nothing by themselves. */
const LANGUAGE = new Set(['user', 'company', 'plan', 'role', 'region', 'is', 'in']);

/** Every text in a value, names of fields left out. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

/** The texts of rows that must not leave: those of columns that stay, but for words that columns which leave have too. */
function secretsOf(rows: readonly Row[]): string[] {
  const columns = rows.flatMap((row) => Object.entries(row));
  const stay = columns.filter(([column]) => !MAY_LEAVE.has(column)).flatMap(([, value]) => textsOf(value));
  const leave = new Set(columns.filter(([column]) => MAY_LEAVE.has(column)).flatMap(([, value]) => textsOf(value)));
  return [...new Set(stay)].filter((text) => !leave.has(text) && !LANGUAGE.has(text));
}

/** Which of these texts are somewhere in the bytes, as words of their own. */
function foundIn(bytes: string, texts: readonly string[]): string[] {
  const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return texts.filter((text) => text !== '' && new RegExp(`(?<![\\w-])${escaped(text)}(?![\\w-])`).test(bytes));
}

function namingIn(bytes: string): string[] {
  return NAMING.filter((column) => bytes.includes(`"${column}"`));
}

describe('the example', () => {
  const text = readFileSync(join(ROOT, 'examples/data/feature_flags.json'), 'utf8');
  const rows = JSON.parse(text) as Row[];
  const source = readFileSync(join(EXAMPLE, 'src/handed.ts'), 'utf8');
  const list = /SCREEN_FLAGS = \[([^\]]*)\]/.exec(source)?.[1] ?? '';
  const asked = [...list.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '');
  const notAsked = rows.map((row) => String(row['name'])).filter((name) => !asked.includes(name));
  const ids = secretsOf(rows).filter((secret) => /^[0-9a-f-]{36}$/.test(secret));
  let running: Running;

  beforeAll(async () => {
    running = await serveExample();
  });

  afterAll(async () => {
    await running.stop();
  });

  test('the search finds what it looks for in the data itself', () => {
    expect(asked).toContain('crm_advanced_features');
    expect(notAsked.length).toBeGreaterThan(20);
    expect(ids.length).toBeGreaterThan(60);
    expect(foundIn(text, ids)).toEqual(ids);
    expect(foundIn(text, notAsked)).toEqual(notAsked);
    expect(namingIn(text)).toEqual(['rules', 'prerequisites', 'overrides', 'target_companies', 'target_users', 'when']);
  });

  const addresses = ['', 'api/flags'].flatMap((path) =>
    ['', '?company=Puerto+Norte&plan=ENTERPRISE&role=OWNER', '?company=Taller+Sol&user=sofia&plan=FREE'].map((query) => path + query),
  );

  test.each(addresses)('nothing of anybody else is in /%s', async (address) => {
    const bytes = await (await fetch(running.url + address)).text();
    const own = ids.filter((id) => bytes.includes(`"company":"${id}"`));
    // The caller's own company is the caller's own; the engine in the browser needs it for rollouts by company.
    expect(own).toHaveLength(1);
    const secrets = secretsOf(rows).filter((secret) => !own.includes(secret));
    expect(foundIn(bytes.replaceAll('\\"', '"'), [...secrets, ...notAsked])).toEqual([]);
    expect(namingIn(bytes.replaceAll('\\"', '"'))).toEqual([]);
  });

  test('a client snapshot holds the flags that were asked for and marked, and a projection their values alone', async () => {
    const handed = (await (await fetch(`${running.url}api/flags`)).json()) as { snapshot: string; projection: object };
    const { flags } = JSON.parse(handed.snapshot) as { flags: Row[] };
    expect(flags.map((flag) => String(flag['name'])).sort()).toEqual(asked.filter((key) => key !== 'crm_ceo_dashboard').sort());
    expect(flags.flatMap(Object.keys).filter((column) => !MAY_LEAVE.has(column))).toEqual([]);
    expect(handed.snapshot).not.toContain('f7ef622a-9adb-47a6-a406-5a80abb41bc9');
    expect(Object.keys(handed.projection).sort()).toEqual([...asked].sort());
    const fields = Object.values(handed.projection).flatMap((flag: object) => Object.keys(flag));
    expect([...new Set(fields)].sort()).toEqual(['enabled', 'value', ...(fields.includes('variant') ? ['variant'] : [])]);
  });

  test('nothing of the data is in the built files', () => {
    const folder = join(EXAMPLE, 'dist/client/assets');
    const files = readdirSync(folder);
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const file of files) {
      expect(foundIn(readFileSync(join(folder, file), 'latin1'), [...ids, ...notAsked]), file).toEqual([]);
    }
  });
});

describe('the interface', () => {
  const SECRET_ROWS: readonly Row[] = [
    { name: 'plain', enabled: true, client: true, target_plans: ['PREMIUM'], description: 'about-plain', created_by: 'author-1' },
    { name: 'companies', enabled: true, client: true, target_companies: ['company-a', 'company-b'] },
    { name: 'users', enabled: true, client: true, target_users: ['user-a', 'user-b'] },
    {
      name: 'overridden',
      enabled: true,
      client: true,
      overrides: { on: { users: ['user-c'], companies: ['company-c'] }, off: { users: ['user-d'], companies: ['company-d'] } },
    },
    {
      name: 'by-rule',
      enabled: true,
      client: true,
      variants: [{ key: 'left', value: 'l' }, { key: 'right', value: 'r' }],
      rules: [
        { key: 'rule-a', when: { segment: 'segment-a' }, variant: 'left' },
        { key: 'rule-b', when: { attribute: 'secret_attribute', op: 'in', values: ['secret-value'] }, split: [{ variant: 'right', weight: 1 }] },
      ],
    },
    { name: 'dependent', enabled: true, client: true, prerequisites: [{ flag: 'hidden', on: true }] },
    { name: 'broken', enabled: true, client: true, rollout_percentage: 150, target_users: ['user-e'] },
    { name: 'hidden', enabled: true, target_companies: ['company-e'] },
    { name: 'unasked', enabled: true, client: true, off_value: 'unasked-value' },
  ];
  const SEGMENTS = [
    { key: 'segment-a', when: { any: [{ attribute: 'company', op: 'in', values: ['company-f'] }, { segment: 'segment-b' }] } },
    { key: 'segment-b', when: { attribute: 'email', op: 'ends_with', values: ['@secret.example'] } },
  ];
  const KEYS = SECRET_ROWS.map((row) => String(row['name'])).filter((name) => name !== 'unasked');
  const CALLERS = [
    { user: 'user-a', company: 'company-a', plan: 'PREMIUM' },
    { user: 'user-c', company: 'company-f', plan: 'FREE', secret_attribute: 'secret-value' },
    { user: 'user-x', company: 'company-x', email: 'x@secret.example' },
    {},
  ];
  const document = JSON.stringify({ esclusa: 1, revision: 7, segments: SEGMENTS, flags: SECRET_ROWS });
  const secrets = [
    ...[...document.matchAll(/"((?:company|user|rule|segment|author|about|secret|unasked)[\w-]*)"/g)].map((match) => match[1] ?? ''),
    ...['@secret.example', 'hidden', 'dependent-on', 'email'],
  ].filter((text) => !['users', 'companies'].includes(text));
  const flags = new Flags();

  beforeAll(() => {
    flags.publishSync(document);
  });

  test('the search finds what it looks for in the whole snapshot', () => {
    expect(new Set(secrets).size).toBeGreaterThan(20);
    expect(foundIn(document, ['company-e', 'user-e', 'rule-b', 'segment-b', 'secret-value'])).toHaveLength(5);
  });

  test.each(CALLERS)('a client snapshot for %o names nobody, and answers as the server does', (caller) => {
    const snapshot = flags.clientSnapshot(caller, KEYS);
    expect(foundIn(snapshot, secrets)).toEqual([]);
    expect(namingIn(snapshot)).toEqual([]);
    const sent = (JSON.parse(snapshot) as { flags: Row[] }).flags.map((flag) => flag['name']);
    // It is unknown whether a flag that can't be read was marked.
    expect([...sent].sort()).toEqual(KEYS.filter((key) => !['hidden', 'broken'].includes(key)).sort());
    const browser = new Flags();
    browser.publishSync(snapshot, { strict: true });
    const [there, here] = [flags.project(caller, KEYS), browser.project(caller, KEYS)];
    for (const key of sent as string[]) expect(here[key], key).toEqual(there[key]);
    expect(browser.revision).toBe(7);
  });

  test.each(CALLERS)('a projection for %o has the values alone', (caller) => {
    const projection = flags.project(caller, KEYS.filter((key) => key !== 'hidden'));
    const text = JSON.stringify(projection);
    expect(foundIn(text, secrets)).toEqual([]);
    for (const flag of Object.values(projection)) {
      expect(['enabled', 'value', 'variant']).toEqual(expect.arrayContaining(Object.keys(flag)));
    }
  });
});
