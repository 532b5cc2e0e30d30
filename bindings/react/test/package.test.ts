// @vitest-environment node
/** The package as it is installed: what is built, how large it is, and that both module systems get it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, test } from 'vitest';

const FOLDER = join(import.meta.dirname, '..');
/** A file that exists in the bundler's eyes alone. */
const ENTRY = join(FOLDER, 'entry.js');
const BUDGET_BYTES = 3 * 1024;

function dist(file: string): string {
  return readFileSync(join(FOLDER, 'dist', file), 'utf8');
}

/** Bundles a module of a few lines, minified, with React left out. */
async function bundle(code: string): Promise<string> {
  const result = await build({
    root: FOLDER,
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'entry',
        enforce: 'pre',
        resolveId: (id) => (id === ENTRY ? id : null),
        load: (id) => (id === ENTRY ? code : null),
      },
    ],
    build: {
      write: false,
      minify: 'oxc',
      target: 'es2022',
      lib: { entry: ENTRY, formats: ['es'] },
      rolldownOptions: { external: [/^react($|\/)/] },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!output || !('output' in output)) throw new Error('nothing was built');
  expect(output.output).toHaveLength(1);
  return output.output[0].code;
}

test('everything that a tree on projections needs is at most 3 KB', async () => {
  const hooks = 'EsclusaProvider, FeatureGate, useFeatureFlag, useFlags, useTrack, useValue, useVariant';
  const code = await bundle(
    `export { ${hooks} } from './dist/index.js';\nexport { readProjection } from './dist/html.js';`,
  );
  const gzipped = gzipSync(code, { level: 9 }).length;
  const brotli = brotliCompressSync(code).length;
  console.log(`values-only path: ${code.length} bytes minified, ${gzipped} gzipped (budget ${BUDGET_BYTES}), ${brotli} brotli`);
  expect(gzipped).toBeLessThanOrEqual(BUDGET_BYTES);
  expect(code).not.toMatch(/wasm/i);
  expect([...code.matchAll(/from\s*["'`]([^"'`]+)/g)].map((match) => match[1]).sort()).toEqual(['react', 'react/jsx-runtime']);
});

test('a gate alone costs less than everything', async () => {
  const code = await bundle(`export { EsclusaProvider, FeatureGate } from './dist/index.js';`);
  const gzipped = gzipSync(code, { level: 9 }).length;
  console.log(`provider and gate: ${code.length} bytes minified, ${gzipped} gzipped`);
  expect(code).not.toContain('useMemo');
});

test('what holds state is for the client, what writes HTML is for the server too', () => {
  for (const file of ['index.js', 'testing.js', 'provider.js', 'hooks.js', 'gate.js', 'tracked.js']) {
    expect(dist(file), file).toMatch(/^'use client';/);
    expect(dist(`cjs/${file}`), file).toMatch(/^"use strict";\n'use client';/);
  }
  for (const file of ['html.js', 'track.js']) expect(dist(file), file).not.toMatch(/use client|from 'react/);
});

test('every file that the manifest promises is there', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8'));
  const promised = JSON.stringify(manifest).match(/\.\/dist\/[\w./-]+/g) ?? [];
  expect(promised).toHaveLength(16);
  for (const file of promised) expect(existsSync(join(FOLDER, file)), file).toBe(true);
});

test('nothing but React is imported', () => {
  const files = readdirSync(join(FOLDER, 'dist')).filter((file) => /\.(js|d\.ts)$/.test(file));
  const imports = files.flatMap((file) => [...dist(file).matchAll(/from\s*["']([^"']+)/g)].map((match) => match[1] ?? ''));
  expect([...new Set(imports.filter((name) => !name.startsWith('./')))].sort()).toEqual(['react', 'react/jsx-runtime']);
});

const APP = `
  const gate = React.createElement(FeatureGate, { feature: 'a', fallback: 'off' }, 'on');
  const page = (projection) => renderToString(React.createElement(EsclusaProvider, { projection }, gate));
  const test = renderToString(React.createElement(TestProvider, { flags: { a: true } }, gate));
  console.log(page({ a: { enabled: true, value: true } }), page({}), test, safeJson({}));`;

test.each([
  [
    'ES modules',
    ['--input-type=module', '--eval'],
    `import React from 'react'; import { renderToString } from 'react-dom/server';
     import { EsclusaProvider, FeatureGate } from '@esclusa/react'; import { TestProvider } from '@esclusa/react/testing';
     import { safeJson } from '@esclusa/react/html';`,
  ],
  [
    'CommonJS',
    ['--input-type=commonjs', '--eval'],
    `const React = require('react'); const { renderToString } = require('react-dom/server');
     const { EsclusaProvider, FeatureGate } = require('@esclusa/react'); const { TestProvider } = require('@esclusa/react/testing');
     const { safeJson } = require('@esclusa/react/html');`,
  ],
])('Node takes it as %s', (_, flags, imports) => {
  const output = execFileSync(process.execPath, [...flags, imports + APP], { cwd: FOLDER, encoding: 'utf8' });
  expect(output.trim()).toBe('on off on {}');
});
