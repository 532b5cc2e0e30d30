/** A timer that keeps no process of Node alive. */

/** The longest that a timer can wait; a longer one would go off at once. */
export const MAX_WAIT_MS = 0x7fff_ffff;

/** Calls after so many milliseconds, unless the function that it returns is called before. */
export function alarm(ms: number, call: () => void): () => void {
  const timer: unknown = setTimeout(call, Math.min(ms, MAX_WAIT_MS));
  (timer as { unref?: () => void }).unref?.();
  return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
}
