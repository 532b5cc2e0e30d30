/** The listeners of a handle, and the errors that they throw. */
import type { Report } from './types.js';

export class Listeners {
  readonly #all = new Set<(report: Report) => unknown>();

  /** Adds a listener. Returns a function that removes it. */
  add(listener: (report: Report) => unknown): () => void {
    // A listener that is added twice is called twice.
    const own = (report: Report): unknown => listener(report);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** Calls all of them. An error of one, or a rejection, is reported and does not stop the others. */
  tell(report: Report): void {
    for (const listener of [...this.#all]) {
      try {
        // An async function throws later.
        Promise.resolve(listener(report)).catch(failed);
      } catch (problem) {
        failed(problem);
      }
    }
  }
}

function failed(problem: unknown): void {
  console.error('esclusa: a listener of onPublish failed', problem);
}
