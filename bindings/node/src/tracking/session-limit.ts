/** The limit of requests of a session (`spec/GUARD.md`, 1.6): 10 at once, then one each second. */

const AT_ONCE = 10;
const EACH_MS = 1_000;
/** Sessions that are remembered; the one that asked the longest time ago is forgotten first. */
const MOST_SESSIONS = 100_000;

export class SessionLimit {
  /** When each session has all its requests again; the session that asked last is the last one. */
  readonly #full = new Map<string, number>();

  /** Takes a request of a session: 0, or the seconds to wait if it may not send one now. */
  take(session: string, nowMs: number): number {
    const full = Math.max(this.#full.get(session) ?? nowMs, nowMs);
    const waitMs = full + EACH_MS - (nowMs + AT_ONCE * EACH_MS);
    if (waitMs > 0) {
      return Math.ceil(waitMs / 1_000);
    }
    this.#full.delete(session);
    if (this.#full.size >= MOST_SESSIONS) {
      for (const oldest of this.#full.keys()) {
        this.#full.delete(oldest);
        break;
      }
    }
    this.#full.set(session, full + EACH_MS);
    return 0;
  }
}
