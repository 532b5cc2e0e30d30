/** The listeners of a handle: what they hear, and what becomes of an error in one. */
import type { Report } from './types.js';

export class Listeners {
  readonly #all = new Set<(report: Report) => unknown>();

  /** Adds a listener; the function that it returns removes it. */
  add(listener: (report: Report) => unknown): () => void {
    // A listener that is given twice is called twice.
    const own = (report: Report): unknown => listener(report);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** Calls all of them. What a listener throws, or rejects with, is reported and stops no other. */
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
