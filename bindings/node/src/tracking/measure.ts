/** Measuring: how long a piece of work takes, and whether it fails. */
import { performance } from 'node:perf_hooks';

import type { Outcome } from './outcome.js';

/** Does the work, reports its outcome, and gives what the work gives; its exception is an error, and is thrown on. */
export function measured<T>(track: (outcome: Outcome) => void, work: () => T): T {
  const began = performance.now();
  const end = (error: boolean): void => track({ error, durationMs: performance.now() - began });
  let result: T;
  try {
    result = work();
  } catch (problem) {
    end(true);
    throw problem;
  }
  if (!isLater(result)) {
    end(false);
    return result;
  }
  const later = result.then(
    (value) => {
      end(false);
      return value;
    },
    (problem: unknown) => {
      end(true);
      throw problem;
    },
  );
  return later as T;
}

function isLater(result: unknown): result is PromiseLike<unknown> {
  return (typeof result === 'object' || typeof result === 'function') && result !== null && typeof (result as { then?: unknown }).then === 'function';
}
