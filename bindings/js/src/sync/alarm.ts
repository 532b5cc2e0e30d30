/** A timer that does not keep a Node process alive. */

/** The longest that a timer can wait; a longer one would go off at once. */
export const MAX_WAIT_MS = 0x7fff_ffff;

/** Calls after that many milliseconds. Returns a function that cancels it. */
export function alarm(ms: number, call: () => void): () => void {
  const timer: unknown = setTimeout(call, Math.min(ms, MAX_WAIT_MS));
  (timer as { unref?: () => void }).unref?.();
  return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
}

/**
 * Resolves after the rest of the program had a turn. In Node that is `setImmediate`: timers that are always due, as
 * with a very short interval, would block input and output. Node delays a turn that keeps no process alive, so `hold`
 * gets a function to call once a refresh is awaited.
 */
export function nextTurn(hold: (wanted: () => void) => void): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (call: () => void) => { ref?: () => void; unref?: () => void } };
  return new Promise((resolve) => {
    if (setImmediate === undefined) {
      alarm(0, resolve);
    } else {
      const turn = setImmediate(resolve);
      turn.unref?.();
      hold(() => turn.ref?.());
    }
  });
}
