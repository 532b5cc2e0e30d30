/** The sync that keeps flags fresh, as the flags know it; builds without one need no more. */

/** A running sync: what `sync` returns. */
export interface ActiveSync {
  /** Whether it has ended. */
  readonly isClosed: boolean;
  /** Waits for the first good answer of the source; true if it came in time. */
  ready(timeoutMs?: number): Promise<boolean>;
  /** The status of the source. */
  status(): { readonly source: string; readonly state: 'starting' | 'fresh' | 'stale' | 'failing'; readonly lastError: { readonly error: string } | null };
  /** Calls the listener after each change of the state, and at the end. Returns a function that removes the listener. */
  onState(listener: () => unknown): () => void;
}
