/** The browser's half: starts from what the page carries. The engine comes later, see `App`. */
import { readProjection } from '@esclusa/react/html';
import { StrictMode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { App } from './App.tsx';
import type { Given } from './handed.ts';

const root = document.getElementById('root');
const caller = document.getElementById('caller')?.textContent;
if (!root || !caller) throw new Error('this page was not rendered by the server of the example');

const given = JSON.parse(caller) as Omit<Given, 'projection'>;
hydrateRoot(
  root,
  <StrictMode>
    <App {...given} projection={readProjection() ?? {}} />
  </StrictMode>,
);
