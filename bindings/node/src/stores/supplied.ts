/** What an app supplies, and what every store needs beside its driver. */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';

/** A text, or a function that is asked for it each time a connection is made. */
export type Supplied = string | (() => string | PromiseLike<string>);

/** How long connecting, and each query or command, may take unless the app says otherwise. */
export const TIMEOUT_MS = 10_000;

/** What no bundler is to look into: the app has the driver, or it does not. */
const requireDriver = createRequire(typeof __filename === 'string' && isAbsolute(__filename) ? __filename : join(process.cwd(), 'index.js'));

/** The first of these drivers that is installed, and which one it is. */
export function installed(who: string, names: readonly string[]): { name: string; driver: unknown } {
  for (const name of names) {
    try {
      return { name, driver: requireDriver(name) };
    } catch (problem) {
      if ((problem as { code?: unknown }).code !== 'MODULE_NOT_FOUND') {
        throw problem;
      }
    }
  }
  throw new Error(`${who} needs a driver, expected \`npm install ${names[0]}\` or \`${names[1]}\``);
}

export async function supplied(given: Supplied): Promise<string> {
  return typeof given === 'string' ? given : given();
}

/** The same promise, or an error when the time is over; `late` is called then, which ends what is waited for. */
export function inTime<T>(ms: number, promise: Promise<T>, late: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${ms / 1000} s`));
      late();
    }, ms).unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** A time-out that an app gave. */
export function timeout(given: number | undefined): number {
  const ms = given ?? TIMEOUT_MS;
  if (!(typeof ms === 'number' && ms > 0 && ms <= 0x7fff_ffff)) {
    throw new RangeError(`\`timeoutMs\` is ${String(ms)}, expected more than 0`);
  }
  return ms;
}
