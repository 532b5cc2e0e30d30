/** Hooks and gates with the types that `esclusa codegen typescript --react` writes, in a project in strict TypeScript. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const APP = `import { Flags } from '@esclusa/wasm';
import { EsclusaProvider, FeatureGate, useFeatureFlag, useFlags, useValue, useVariant } from '@esclusa/react';
import { TestProvider } from '@esclusa/react/testing';
import { type AppFlags, flagKeys } from './generated';

const flags = new Flags<AppFlags>();
flags.isEnabled('crm_advanced', { user: 'user-42' });
// @ts-expect-error there is no such flag
flags.isEnabled('crm_advancd', { user: 'user-42' });

export function Screen() {
  const { isEnabled } = useFeatureFlag(flagKeys.CRM_ADVANCED);
  const layout: 'grid' | 'list' = useValue('checkout-layout', 'grid');
  const limit: number | null = useValue('limit');
  const variant: 'high' | 'low' | null = useVariant('limit');
  const { crm_advanced, limit: isLimited } = useFlags(['crm_advanced', 'limit']);
  // @ts-expect-error there is no such flag
  useFeatureFlag('crm_advancd');
  // @ts-expect-error there is no such flag
  useFlags(['crm_advancd']);
  // @ts-expect-error its value is a number
  const text: string = useValue('limit', 3);
  // @ts-expect-error there is no such flag
  const wrong = <FeatureGate feature="crm_advancd">x</FeatureGate>;
  return (
    <EsclusaProvider flags={flags} context={{ user: 'user-42' }}>
      <FeatureGate feature="crm_advanced" fallback={text}>{[isEnabled, layout, limit, variant, crm_advanced, isLimited, wrong].join()}</FeatureGate>
      <TestProvider flags={{ crm_advanced: true, 'checkout-layout': 'a' }}>x</TestProvider>
      {/* @ts-expect-error there is no such flag */}
      <TestProvider flags={{ crm_advancd: true }}>x</TestProvider>
    </EsclusaProvider>
  );
}
`;

test('hooks and gates take the keys of the app alone, and values have types', () => {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'app.tsx'), APP);
  copyFileSync(join(root, 'cli/tests/golden/files/generated/flags.ts'), join(folder, 'generated.ts'));
  const compilerOptions = { module: 'ESNext', moduleResolution: 'Bundler', target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable', 'DOM'], jsx: 'react-jsx', strict: true, noEmit: true, types: [], skipLibCheck: true };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.tsx'] }));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd: folder, encoding: 'utf8' });
  expect(tsc.stdout + tsc.stderr).toBe('');
}, 60_000);
