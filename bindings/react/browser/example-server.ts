/** The example's own server, started as its users start it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const EXAMPLE = join(import.meta.dirname, '../../../examples/react');

export interface Running {
  url: string;
  stop: () => Promise<void>;
}

/** Starts the server at a free port; `arguments_` may be `--dev`. */
export async function serveExample(...arguments_: string[]): Promise<Running> {
  const environment = { ...process.env, PORT: '0' };
  const child = spawn(process.execPath, ['server.mjs', ...arguments_], { cwd: EXAMPLE, env: environment });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      const address = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
      if (address) resolve(address[0]);
    });
    void ended.then(() => reject(new Error(`the server of the example ended: ${said}`)));
  });
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { url, stop };
}
