/** What flags know of the sync that keeps them fresh; builds that have none need no more. */

/** What keeps flags fresh: what `sync` returns. */
export interface ActiveSync {
  /** Whether it keeps nothing fresh any more. */
  readonly isClosed: boolean;
  /** Waits for the first good answer of the source; whether it came in time. */
  ready(timeoutMs?: number): Promise<boolean>;
  /** How things stand with the source. */
  status(): { readonly state: 'starting' | 'fresh' | 'stale' | 'failing'; readonly lastError: { readonly error: string } | null };
  /** Calls the listener whenever the state has changed, and at the end; the function that it returns ends that. */
  onState(listener: () => unknown): () => void;
}
