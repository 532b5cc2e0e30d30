// @vitest-environment node
import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { readProjection } from '../src/html.ts';
import { EsclusaProvider } from '../src/index.ts';
import { ROWS, engine } from './engine.ts';
import { Gate } from './screen.tsx';

test('on a server there is no document, and nothing warns or waits', () => {
  expect(typeof document).toBe('undefined');
  expect(readProjection()).toBe(undefined);
  const projection = engine(ROWS).project({ plan: 'PREMIUM' });
  const html = (given: object) =>
    renderToString(
      <EsclusaProvider {...given}>
        <Gate feature="premium" />
      </EsclusaProvider>,
    );
  expect(html({ projection })).toBe('<b>panel</b>');
  expect(html({ flags: engine(ROWS), context: { plan: 'PREMIUM' } })).toBe('<b>panel</b>');
  expect(html({ flags: engine(ROWS), context: { plan: 'FREE' } })).toBe('<i>upgrade</i>');
  expect(html({ flags: () => Promise.reject(new Error('never called on a server')) })).toBe('<i>wait</i>');
});
