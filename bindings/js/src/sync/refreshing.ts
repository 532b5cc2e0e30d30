/** Refreshes that are awaited. */
import { alarm } from './alarm.js';

/** Pending refreshes, by the index of the request that answers them. */
export class Refreshing {
  readonly #waiting = new Map<(why: string | null) => void, number>();

  /**
   * Resolves once this request, or a later one, is answered: to null, or to the reason of its failure. Resolves after `ms`
   * milliseconds at the latest. It keeps a Node process alive only while it is awaited.
   */
  answer(number: number, ms: number): PromiseLike<string | null> {
    const end = performance.now() + ms;
    const tells = new Set<() => void>();
    let why: string | null | undefined;
    const done = (said: string | null): void => {
      cancel();
      why = said;
      tells.forEach((tell) => tell());
    };
    const cancel = alarm(ms, () => this.#waiting.delete(done));
    this.#waiting.set(done, number);
    const answered = (): Promise<string | null> =>
      new Promise((resolve) => {
        const tell = (): void => {
          clearTimeout(timer);
          resolve(why === undefined ? `no answer within ${ms / 1000} s` : why);
        };
        const timer = setTimeout(tell, why === undefined ? Math.max(end - performance.now(), 0) : 0);
        tells.add(tell);
      });
    return { then: (fulfilled, rejected) => answered().then(fulfilled, rejected) };
  }

  /** Whether an answer is yet to come. */
  get isWanted(): boolean {
    return this.#waiting.size > 0;
  }

  /** Resolves the refreshes that this request answers. */
  tell(number: number, why: string | null): void {
    for (const [done, wanted] of [...this.#waiting]) {
      if (wanted <= number) {
        this.#waiting.delete(done);
        done(why);
      }
    }
  }
}
