/** Both catalogues say everything, and the page says nothing that they do not have. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { expect, test } from 'vitest';
import { en } from '../src/language/en.ts';
import { es } from '../src/language/es.ts';
import { words } from '../src/language/language.tsx';

const SOURCE = new URL('../src/', import.meta.url).pathname;
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file) && !file.startsWith('language/'));
const code = files.map((file) => readFileSync(join(SOURCE, file), 'utf8')).join('\n');
const [english, spanish] = [Object.entries(en), Object.entries(es)];

/** The names of the values of a sentence, those that decide about a plural and those inside it too. */
function values(sentence: string): string[] {
  const names = (compiled: unknown): string[] => {
    if (!Array.isArray(compiled)) {
      return [];
    }
    return compiled.flatMap((part: unknown) => {
      const [name, , forms] = Array.isArray(part) ? (part as [string, string?, object?]) : [];
      return name === undefined ? [] : [name, ...Object.values(forms ?? {}).flatMap(names)];
    });
  };
  return [...new Set(names(compileMessage(sentence)))].sort();
}

test('both catalogues have the same sentences with the same values, and none is empty', () => {
  expect(spanish.map(([name]) => name).sort()).toEqual(english.map(([name]) => name).sort());
  for (const [name, sentence] of english) {
    const other = es[name as keyof typeof es];
    expect(values(other), name).toEqual(values(sentence));
    expect(other.trim(), name).not.toBe('');
    // A sentence that is three times as long breaks the page; one word may.
    expect(other.length, name).toBeLessThan(sentence.length * 2 + 30);
  }
});

test('each sentence is used', () => {
  // `state.${state}` uses every sentence with that beginning.
  const begins = [...code.matchAll(/`([a-z_.-]+[.-])\$\{/g)].map(([, begin]) => begin as string);
  const unused = english.map(([name]) => name).filter((name) => !code.includes(`'${name}'`) && !begins.some((begin) => name.startsWith(begin)));
  expect(unused).toEqual([]);
  expect(begins).toContain('violation.');
});

test('every code of the engine has its sentence', () => {
  const semantics = readFileSync(new URL('../../spec/SEMANTICS.md', import.meta.url), 'utf8');
  const sentence = /- \*\*9\.9\*\* .*/.exec(semantics)?.[0] ?? '';
  const codes = [...sentence.split('A refusal')[0]!.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(25);
  expect(codes.filter((code) => !(`violation.${code}` in en))).toEqual([]);
});

test('every code of a step has its sentence, but comparisons, which the engine words', () => {
  const semantics = readFileSync(new URL('../../spec/SEMANTICS.md', import.meta.url), 'utf8');
  const sentence = /- \*\*10\.8\*\* .*/.exec(semantics)?.[0] ?? '';
  // Operands are in brackets.
  const codes = [...sentence.replace(/\([^)]*\)/g, '').matchAll(/`([a-z-]+)`/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(30);
  const worded = ['comparison', 'comparison-unknown', 'now', 'percentage', 'percentage-missing', 'test-override'];
  expect(codes.filter((code) => !(`step.${code}` in en) && !worded.includes(code ?? ''))).toEqual([]);
});

test('numbers and plurals are those of the language', () => {
  const [spanish, english] = [words('es', 'es-CO', () => undefined), words('en', 'en-US', () => undefined)];
  expect([spanish.number(12_400.5), english.number(12_400.5)]).toEqual(['12.400,5', '12,400.5']);
  expect([spanish.percent(12.5), english.percent(12.5)].map((text) => text.replace(/\s/g, ''))).toEqual(['12,5%', '12.5%']);
  expect(spanish.list(['CO', 'MX'])).toBe('CO y MX');
});
