import { expect, test } from 'vitest';
import { projectionScript, readProjection, safeJson } from '../src/html.ts';
import type { Projection } from '../src/index.ts';
import { said } from './console.ts';

const HOSTILE: Projection = {
  '</script><script>alert(1)</script>': { enabled: true, value: '<!--<script>', variant: '</SCRIPT >' },
  separators: { enabled: true, value: 'a\u2028b\u2029c & d "e" \\ \u{1f6a2}' },
  __proto__x: { enabled: false, value: { deep: [null, 1.5, '<'] } },
};

function page(body: string): void {
  document.body.innerHTML = body;
}

test('nothing in a projection can end the script or begin another', () => {
  const text = safeJson(HOSTILE);
  expect(text).not.toMatch(/[<>&\u2028\u2029]/);
  expect(JSON.parse(text)).toEqual(HOSTILE);
});

test('it may be read as JavaScript as well as JSON', () => {
  expect((0, eval)(`(${safeJson(HOSTILE)})`)).toEqual(HOSTILE);
});

test('the browser reads what the server wrote', () => {
  page(`<div id="root"></div>${projectionScript(HOSTILE)}<p>after</p>`);
  expect(document.querySelectorAll('script')).toHaveLength(1);
  expect(document.querySelector('p')?.textContent).toBe('after');
  expect(readProjection()).toEqual(HOSTILE);
});

test('the element may have another id', () => {
  page(projectionScript({ a: { enabled: true, value: 1 } }, 'flags-2'));
  expect(readProjection()).toBe(undefined);
  expect(readProjection('flags-2')).toEqual({ a: { enabled: true, value: 1 } });
});

test('an id that would not stay inside its attribute is refused', () => {
  expect(() => projectionScript({}, 'a" onload="alert(1)')).toThrow('expected letters, digits, `_` and `-`');
});

test('only the script of the server is read, whatever else has its id', () => {
  const forged = '{"admin": {"enabled": true, "value": true}}';
  const elements = [`<p id="esclusa-projection">${forged}</p>`, `<script id="esclusa-projection">${forged}</script>`];
  const projection = { admin: { enabled: false, value: false } };
  page(elements.join('') + projectionScript(projection));
  expect(readProjection()).toEqual(projection);
  page(elements.join(''));
  expect([readProjection(), readProjection('"]')]).toEqual([undefined, undefined]);
});

test('a page without a projection has none', () => {
  page('<p></p>');
  expect(readProjection()).toBe(undefined);
});

test.each([
  ['{"a": ', 'is no JSON'],
  ['[]', 'is unusable, expected {key: {"enabled", "value", "variant"?}}'],
  ['{"a": true}', 'is unusable'],
  ['{"a": {"enabled": "yes"}}', 'is unusable'],
  ['null', 'is unusable'],
])('%s is reported and counts as none', (text, problem) => {
  page(`<script type="application/json" id="esclusa-projection">${text}</script>`);
  expect(readProjection()).toBe(undefined);
  const [line, ...others] = said();
  expect(line).toContain(`esclusa: the projection in #esclusa-projection ${problem}`);
  expect(others).toEqual([]);
});
