/**
 * The events of a page, on their way to its app: `POST /v1/track`, as `spec/GUARD.md` of the repository describes it.
 *
 * It knows no React. Nothing in an event says who the caller is: the app knows that from the session.
 */

/** What a page reports of an event; nothing means that it went well. */
export interface PageOutcome {
  /** What the person did: `view`, `click`, `error` or a word of the app's, of at most 50 characters. */
  action?: string | null | undefined;
  /** What a gate shows. */
  shown?: 'children' | 'fallback' | null | undefined;
  /** The variant that the page has. */
  variant?: string | null | undefined;
  /** Whether it ended in an error. */
  error?: boolean | null | undefined;
  /** How long it took, in milliseconds, from 0 to a day. */
  durationMs?: number | null | undefined;
  /** A number of the app's, such as a price or a rating. */
  value?: number | null | undefined;
  /** At most 20 other fields: booleans, numbers, and texts of at most 200 characters. */
  [field: string]: unknown;
}

/** Takes the events of a page. */
export interface TrackerLike {
  track(event: string, outcome?: PageOutcome): void;
}

/** How events are sent. */
export interface PageTrackerOptions {
  /** Where they are sent; `/v1/track` by default. */
  url?: string;
  /** Headers of each request, such as `authorization`, if cookies do not say who the caller is. */
  headers?: () => { [name: string]: string };
  /** Whether cookies are sent to another origin; `same-origin` by default. */
  credentials?: RequestCredentials;
}

const SEND_MS = 10_000;
const MOST_EVENTS = 100;
const MOST_BYTES = 16_384;
/** Events that wait; more are dropped, so that an app that does not answer costs no memory. */
const MOST_WAITING = 1_000;
const LONGEST_MS = 86_400_000;
const BEGIN = '{"esclusa":1,"events":[';
const END = ']}';

/**
 * Sends the events of a page every 10 seconds, and when the page is hidden: one for the life of the page.
 *
 * ```js
 * const tracker = new PageTracker();
 * tracker.track('crm_advanced_features', { action: 'click' });
 * ```
 *
 * On a server it does nothing.
 */
export class PageTracker implements TrackerLike {
  readonly #url: string;
  readonly #headers: PageTrackerOptions['headers'];
  readonly #credentials: RequestCredentials;
  /** Events as JSON. */
  #waiting: string[] = [];
  /** Views that were reported: once for each event and variant. */
  readonly #viewed = new Set<string>();
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #isListening = false;

  constructor({ url = '/v1/track', headers, credentials = 'same-origin' }: PageTrackerOptions = {}) {
    this.#url = url;
    this.#headers = headers;
    this.#credentials = credentials;
  }

  /** Number of events that were not taken: they cannot be used, there were too many, or the app has refused them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Reports an event: the key of a flag, that key followed by `.feedback`, or an event that a guard names. It never throws. */
  track(event: string, outcome?: PageOutcome): void {
    if (typeof document === 'undefined') return;
    const written = text(event, outcome ?? {});
    if (written === undefined || this.#waiting.length >= MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    if (outcome?.action === 'view') {
      const view = `${event}\n${outcome.variant ?? ''}`;
      if (this.#viewed.has(view)) return;
      this.#viewed.add(view);
    }
    this.#waiting.push(written);
    this.#listen();
    this.#later(SEND_MS);
  }

  /** Sends what waits, and resolves when that is answered or has failed. */
  async send(): Promise<void> {
    while (this.#sending) await this.#sending;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    let pauseMs = 0;
    while (pauseMs === 0 && this.#waiting.length > 0) {
      const events = this.#take();
      pauseMs = await this.#post(events).catch(() => SEND_MS);
      if (pauseMs > 0) this.#waiting.unshift(...events);
    }
    if (this.#waiting.length === 0) return;
    // Events that came meanwhile wait as long.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#later(Math.max(pauseMs, SEND_MS));
  }

  /** Posts events: 0 if they are done with, or the time after which they are sent again. */
  async #post(events: string[]): Promise<number> {
    const response = await fetch(this.#url, this.#request(events));
    if (response.status === 429) return Math.min(Number(response.headers.get('retry-after')) || 0, 3_600) * 1_000 || SEND_MS;
    const answer = response.ok ? ((await response.json().catch(() => undefined)) as { refused?: unknown[] } | undefined) : undefined;
    this.#dropped += response.ok ? (answer?.refused?.length ?? 0) : events.length;
    return 0;
  }

  /** The page may end now: a beacon is sent whatever becomes of it, and nothing is known of its answer. */
  readonly #hidden = (): void => {
    if (document.visibilityState !== 'hidden') return;
    while (this.#waiting.length > 0) {
      const events = this.#take();
      if (!this.#beacon(events)) {
        this.#waiting.unshift(...events);
        return;
      }
    }
  };

  #beacon(events: string[]): boolean {
    if (this.#headers === undefined && typeof navigator.sendBeacon === 'function') {
      return navigator.sendBeacon(this.#url, new Blob([BEGIN, events.join(), END], { type: 'application/json' }));
    }
    void this.#post(events)
      .catch(() => SEND_MS)
      .then((pauseMs) => {
        if (pauseMs === 0) return;
        this.#waiting.unshift(...events);
        this.#later(pauseMs);
      });
    return true;
  }

  #request(events: string[]): RequestInit {
    return {
      method: 'POST',
      body: BEGIN + events.join() + END,
      headers: { ...this.#headers?.(), 'content-type': 'application/json' },
      credentials: this.#credentials,
      keepalive: true,
    };
  }

  /** The first events, as many as fit into a request. */
  #take(): string[] {
    let bytes = BEGIN.length + END.length;
    let count = 0;
    for (const event of this.#waiting.slice(0, MOST_EVENTS)) {
      bytes += size(event) + 1;
      if (bytes > MOST_BYTES) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => void this.send(), ms);
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    document.addEventListener('visibilitychange', this.#hidden);
  }
}

const size = (given: string): number => new TextEncoder().encode(given).length;

/** An event as JSON; undefined if it cannot be used. */
function text(event: unknown, outcome: PageOutcome): string | undefined {
  try {
    const { action, shown, variant, error, durationMs, value, ...rest } = outcome;
    const fields = Object.entries(rest).filter(([, field]) => field !== undefined && field !== null);
    const isFit =
      isText(event, 200) &&
      (isNone(action) || isText(action, 50)) &&
      (isNone(shown) || shown === 'children' || shown === 'fallback') &&
      (isNone(variant) || isText(variant, 200)) &&
      (isNone(error) || typeof error === 'boolean') &&
      (isNone(durationMs) || (typeof durationMs === 'number' && durationMs >= 0 && durationMs <= LONGEST_MS)) &&
      (isNone(value) || Number.isFinite(value)) &&
      fields.length <= 20 &&
      fields.every(([name, field]) => isText(name, 50) && (typeof field === 'boolean' || Number.isFinite(field) || field === '' || isText(field, 200)));
    if (!isFit) return undefined;
    const known = { action, shown, variant, error: error || undefined, duration_ms: durationMs, value };
    const given = Object.entries(known).filter(([, one]) => !isNone(one));
    const written = JSON.stringify({ event, ...Object.fromEntries(given), ...(fields.length > 0 && { fields: Object.fromEntries(fields) }) });
    return size(written) <= MOST_BYTES - BEGIN.length - END.length - 1 ? written : undefined;
  } catch {
    // A getter or a proxy has failed.
    return undefined;
  }
}

const isNone = (given: unknown): given is null | undefined => given === null || given === undefined;
const isText = (given: unknown, longest: number): given is string => typeof given === 'string' && given !== '' && [...given].length <= longest;
