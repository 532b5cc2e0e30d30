/** A time limit for whatever an app or a driver does. */

/** The same promise, or an error after the time; then `late` is called, which ends the pending operation. */
export function inTime<T>(ms: number, promise: Promise<T>, late: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${ms / 1000} s`));
      late();
    }, ms).unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
