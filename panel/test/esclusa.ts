/** The program `esclusa serve` on a database of its own, with an admin token. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENCE_MS } from './chromium.ts';

export const PROGRAM = process.env['ESCLUSA_PROGRAM'] ?? new URL('../../target/debug/esclusa', import.meta.url).pathname;

export interface Row {
  [column: string]: unknown;
}

/** A token, and the lines about it in esclusa.toml. */
function token(): { text: string; lines: string } {
  const [id, secret] = [randomBytes(8).toString('hex'), randomBytes(32).toString('hex')];
  const text = `esc_admin_${id}_${secret}`;
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { text, lines: `[[serve.tokens]]\nkind = "admin"\nname = "Ana"\nid = "${id}"\nsha256 = "${sha256}"\n` };
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export class Esclusa {
  readonly folder = mkdtempSync(join(tmpdir(), 'esclusa-panel-'));
  readonly #token = token();
  #port = 0;
  #process: ChildProcess | undefined;
  /** The address of the panel. */
  readonly #prefix: string;
  readonly store: string;
  /** Other sections of the set-up. */
  readonly #more: string;

  constructor(options: { store?: string; prefix?: string; more?: string } = {}) {
    this.#prefix = options.prefix ?? '';
    this.store = options.store ?? 'sqlite:esclusa.db';
    this.#more = options.more ?? '';
  }

  get token(): string {
    return this.#token.text;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get panel(): string {
    return `${this.origin}${this.#prefix}/panel/`;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<this> {
    this.#port ||= await freePort();
    const address = this.#prefix === '' ? '' : `public_url = "${this.origin}${this.#prefix}"\n`;
    writeFileSync(join(this.folder, 'esclusa.toml'), `[serve]\n${address}${this.#token.lines}${this.#more}`);
    const args = ['serve', this.store, '--listen', `127.0.0.1:${this.#port}`];
    const env = { ...process.env, ESCLUSA_SERVE_LOG: 'warn' };
    const child = spawn(PROGRAM, args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'], env });
    let said = '';
    child.stdout.on('data', (text) => (said += String(text)));
    child.stderr.on('data', (text) => (said += String(text)));
    this.#process = child;
    const until = Date.now() + PATIENCE_MS;
    while (!(await this.#isReady())) {
      if (child.exitCode !== null || Date.now() > until) {
        throw new Error(`esclusa serve does not begin: ${said}`);
      }
      await new Promise((done) => setTimeout(done, 50));
    }
    return this;
  }

  async #isReady(): Promise<boolean> {
    return await fetch(`${this.origin}/ready`).then((answer) => answer.ok, () => false);
  }

  /** Asks as a program does. */
  async ask(method: string, path: string, body?: unknown, headers: { [name: string]: string } = {}): Promise<{ status: number; body: never }> {
    const answer = await fetch(`${this.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as never };
  }

  async create(flag: Row): Promise<void> {
    const { status, body } = await this.ask('POST', '/api/v1/flags', { flag });
    if (status !== 201) {
      throw new Error(`${status}: ${JSON.stringify(body)}`);
    }
  }

  async flag(key: string): Promise<Row> {
    const { body } = await this.ask('GET', `/api/v1/flags/${encodeURIComponent(key)}`);
    return (body as { flag: Row }).flag;
  }

  /** Ends the program, as a machine that fails does. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child !== undefined && child.exitCode === null) {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await ended;
    }
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
