/** What a sync says of itself. */

/** Who is told; `console` is one, and so are the loggers of most frameworks. */
export interface Logger {
  warn(message: string): unknown;
  info(message: string): unknown;
  debug?(message: string): unknown;
}

/** A console's `debug` is seen by everybody in Node, so nobody is told of what is only good to know. */
const usual: Logger = { warn: (message) => console.warn(message), info: (message) => console.info(message) };

/** A logger that disturbs nobody, whatever it throws. */
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
      // There is nobody else to tell.
    }
  }
}
