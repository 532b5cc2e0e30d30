/** The server's half: the whole snapshot, the engine, and what of it one caller may have. */
import { projectionScript, safeJson } from '@esclusa/react/html';
import init, { Flags } from '@esclusa/wasm/full';
import { renderToString } from 'react-dom/server';
import { App } from './App.tsx';
import type { Handed } from './handed.ts';
import { SCREEN_FLAGS, WATCHED } from './handed.ts';
import { whoFrom } from './who.ts';

interface Row {
  name: string;
  status: string;
  client: boolean;
}

/** The ids of the companies in the snapshot; a real server takes the company from the session. */
const COMPANY_IDS: { readonly [name: string]: string } = {
  'Andina Seguros': 'f7ef622a-9adb-47a6-a406-5a80abb41bc9',
  'Puerto Norte': '3a61dda6-e2e5-4cd0-91c8-60eeadbf7f00',
  'Taller Sol': '31f84b7b-6fbf-4802-9db0-2dd12e8a01b7',
};

/** Definitions that may go to a browser. In your own table this is the column `client`. */
const CLIENT_FLAGS = SCREEN_FLAGS.filter((key) => key !== 'crm_ceo_dashboard');

/** Where flags are kept and given out. */
export class Desk {
  readonly #flags = new Flags();
  #rows: Row[];

  constructor(data: string) {
    const rows = JSON.parse(data) as Row[];
    this.#rows = rows.map((row) => ({ ...row, client: row.client || CLIENT_FLAGS.includes(row.name) }));
    this.#publish();
  }

  /** Rolls a flag back, or continues it. Then the same callers have it as before: the cohort is kept. */
  setStatus(key: string | null, status: 'active' | 'rolled_back'): void {
    this.#rows = this.#rows.map((row) => (row.name === key ? { ...row, status } : row));
    this.#publish();
  }

  /** What the caller of this address may have. */
  hand(query: URLSearchParams): Handed {
    const who = whoFrom(query);
    const { company, ...rest } = who;
    const context = { ...rest, company: COMPANY_IDS[company] ?? '' };
    return {
      who,
      context,
      projection: this.#flags.project(context, SCREEN_FLAGS),
      snapshot: this.#flags.clientSnapshot(context, SCREEN_FLAGS),
      isRolledBack: this.#rows.some((row) => row.name === WATCHED && row.status === 'rolled_back'),
    };
  }

  /** The page of this caller: the screen as HTML, and what the browser needs to go on from there. */
  page(query: URLSearchParams): { screen: string; handed: string } {
    const { who, context, projection, isRolledBack } = this.hand(query);
    const caller = `<script type="application/json" id="caller">${safeJson({ who, context, isRolledBack })}</script>`;
    return {
      screen: renderToString(<App who={who} context={context} projection={projection} isRolledBack={isRolledBack} />),
      handed: projectionScript(projection) + caller,
    };
  }

  #publish(): void {
    this.#flags.publishSync(JSON.stringify(this.#rows));
  }
}

await init();
