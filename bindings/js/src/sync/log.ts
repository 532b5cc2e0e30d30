/** The log of a sync. */

/** Receives log messages; `console` is one, and so are the loggers of most frameworks. */
export interface Logger {
  warn(message: string): unknown;
  info(message: string): unknown;
  debug?(message: string): unknown;
}

/** In Node, `console.debug` is always visible, so the default logger skips that level. */
const usual: Logger = { warn: (message) => console.warn(message), info: (message) => console.info(message) };

/** A logger whose errors have no effect. */
export class Log {
  readonly #logger: Logger | null;

  constructor(logger: Logger | null | undefined) {
    this.#logger = logger === undefined ? usual : logger;
  }

  say(level: 'warn' | 'info' | 'debug', message: string): void {
    try {
      // An async function throws later.
      Promise.resolve(this.#logger?.[level]?.(`esclusa: ${message}`)).catch(() => undefined);
    } catch {
      // There is no other place to report it.
    }
  }
}
