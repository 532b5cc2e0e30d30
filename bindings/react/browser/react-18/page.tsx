/** With React 18: a page is rendered by Node, and in the browser hydrated and taken over by the engine. */
import { EsclusaProvider, FeatureGate, useFeatureFlag } from '@esclusa/react';
import type { FlagsLike, Projection } from '@esclusa/react';
import { StrictMode, version } from 'react';
import type { ReactElement } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';

const PROJECTION: Projection = { premium: { enabled: true, value: true }, steady: { enabled: true, value: true } };
const ROWS = [
  { name: 'premium', enabled: true, target_plans: ['PREMIUM'] },
  { name: 'steady', enabled: true },
];

/** What the page may be asked to do, one step after another. */
export interface Steps {
  version: string;
  /** Hydrates what the server rendered; gives the HTML afterwards. */
  hydrate(server: string): Promise<string>;
  /** Lets the engine arrive; gives the HTML afterwards. */
  arrive(): Promise<string>;
  /** Publishes a rollback; gives the HTML afterwards. */
  rollBack(): Promise<string>;
  /** Renders of the component whose answer never changes since the page was hydrated. */
  steadyRenders(): number;
}

let renders = 0;

function Steady(): ReactElement {
  renders += 1;
  return <i>{useFeatureFlag('steady').isEnabled ? 'steady' : 'gone'}</i>;
}

function tree(flags: PromiseLike<FlagsLike> | null): ReactElement {
  return (
    <StrictMode>
      <EsclusaProvider projection={PROJECTION} flags={flags} context={{ plan: 'PREMIUM' }}>
        <FeatureGate feature="premium" fallback={<i>upgrade</i>}>
          <b>panel</b>
        </FeatureGate>
        <Steady />
      </EsclusaProvider>
    </StrictMode>
  );
}

/** Runs in Node. */
export function render(): string {
  return renderToString(tree(null));
}

/** Runs in the browser. */
export async function begin(engineUrl: string): Promise<Steps> {
  const engine = (await import(/* @vite-ignore */ engineUrl)) as typeof import('@esclusa/wasm');
  await engine.default();
  const flags = new engine.Flags();
  let resolve!: (flags: FlagsLike) => void;
  const arriving = new Promise<FlagsLike>((settle) => (resolve = settle));
  const main = document.body.appendChild(document.createElement('main'));
  const settled = async () => {
    // A turn of the event loop for React's scheduler, and a frame for its effects.
    await new Promise((next) => setTimeout(next, 0));
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 0)));
    return main.innerHTML;
  };
  return {
    version,
    hydrate: async (server) => {
      main.innerHTML = server;
      hydrateRoot(main, tree(arriving));
      const browser = await settled();
      renders = 0;
      return browser;
    },
    arrive: async () => {
      flags.publishSync(JSON.stringify(ROWS));
      resolve(flags);
      return await settled();
    },
    rollBack: async () => {
      flags.publishSync(JSON.stringify(ROWS.map((row) => ({ ...row, enabled: row.name !== 'premium' }))));
      return await settled();
    },
    steadyRenders: () => renders,
  };
}
