// @vitest-environment node
/** The code of the README compiles as it stands, against the packages as they are built. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const FOLDER = join(import.meta.dirname, '..');
/** Inside the repository, so that the packages are found. */
const WORK = join(FOLDER, 'node_modules/.readme');

/** What the reader's own application has. */
const APPLICATION = `
import type { FlagsLike } from '@esclusa/react';
import type { Flags } from '@esclusa/wasm';
export interface Session { user: string; company: string; plan: string; [attribute: string]: unknown }
export declare const session: Session;
export declare const flags: Flags;
export declare function loadFlags(): Promise<FlagsLike>;
export declare function App(): JSX.Element;
export declare function AdvancedCRMPanel(): JSX.Element;
export declare function Upgrade(): JSX.Element;
import type { JSX } from 'react';
`;

const blocksOf = (path: string) => [...readFileSync(join(FOLDER, path), 'utf8').matchAll(/^( *)```tsx\n([\s\S]*?)\n\1```$/gm)];

test('every block of the README, and of the first page of the repository, compiles', () => {
  const [own, first] = [blocksOf('README.md'), blocksOf('../../README.md')];
  expect([own.length, first.length]).toEqual([8, 2]);
  const blocks = [...own, ...first];
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  writeFileSync(join(WORK, 'crm.d.ts'), APPLICATION);
  blocks.forEach((block, index) => writeFileSync(join(WORK, `block-${index + 1}.tsx`), `${block[2] ?? ''}\n`));
  const options = { extends: join(FOLDER, 'tsconfig.json'), include: ['*'], compilerOptions: { noEmit: true } };
  writeFileSync(join(WORK, 'tsconfig.json'), JSON.stringify(options));
  expect(problems()).toBe('');
  // And the compiler would have said so.
  writeFileSync(join(WORK, 'wrong.tsx'), `import { FeatureGate } from '@esclusa/react';\nexport const gate = <FeatureGate />;\n`);
  expect(problems()).toContain("Property 'feature' is missing");
});

function problems(): string {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  return spawnSync(process.execPath, [tsc, '--project', WORK], { encoding: 'utf8' }).stdout;
}
