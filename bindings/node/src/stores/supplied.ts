/** What an app supplies, and what every store needs besides its driver. */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';

/** A text, or a function that returns one for each connection. */
export type Supplied = string | (() => string | PromiseLike<string>);

/** Default time limit of connecting, and of each query or command. */
export const TIMEOUT_MS = 10_000;

/** A `require` that bundlers do not follow: the app may have the driver. */
const requireDriver = createRequire(typeof __filename === 'string' && isAbsolute(__filename) ? __filename : join(process.cwd(), 'index.js'));

/** A driver, if the app has it. */
export function found(name: string): unknown {
  try {
    return requireDriver(name);
  } catch (problem) {
    if ((problem as { code?: unknown }).code !== 'MODULE_NOT_FOUND') {
      throw problem;
    }
    return undefined;
  }
}

/** The first of these drivers that is installed, and its name. */
export function installed(who: string, names: readonly string[]): { name: string; driver: unknown } {
  for (const name of names) {
    const driver = found(name);
    if (driver !== undefined) {
      return { name, driver };
    }
  }
  throw new Error(`${who} needs a driver, expected \`npm install ${names[0]}\` or \`${names[1]}\``);
}

export async function supplied(given: Supplied): Promise<string> {
  return typeof given === 'string' ? given : given();
}

/** The app's time-out, or the default. */
export function timeout(given: number | undefined): number {
  const ms = given ?? TIMEOUT_MS;
  if (!(typeof ms === 'number' && ms > 0 && ms <= 0x7fff_ffff)) {
    throw new RangeError(`\`timeoutMs\` is ${String(ms)}, expected more than 0`);
  }
  return ms;
}
