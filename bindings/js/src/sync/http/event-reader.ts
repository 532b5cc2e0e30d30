/** Server-sent events, as far as they say that there is news: what they say in words is not read. */

/** Types that only say that the server lives. */
const QUIET = new Set(['ping', 'heartbeat', 'keep-alive', 'keepalive']);
/** The names and types that are told apart are shorter. */
const MAX_LINE = 64;

/** Reads a stream of events, in whatever pieces it comes. */
export class EventReader {
  #line = '';
  #isAfterReturn = false;
  #hasData = false;
  #isQuiet = false;

  /** Whether these bytes end an event that is news. */
  read(bytes: Uint8Array): boolean {
    let isNews = false;
    for (const byte of bytes) {
      const isAfterReturn = this.#isAfterReturn;
      this.#isAfterReturn = byte === 13;
      if (byte === 10 && isAfterReturn) {
        continue;
      }
      if (byte === 10 || byte === 13) {
        isNews = this.#endLine() || isNews;
      } else if (this.#line.length < MAX_LINE) {
        this.#line += String.fromCharCode(byte);
      }
    }
    return isNews;
  }

  #endLine(): boolean {
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(this.#line) ?? [];
    const isEnd = this.#line === '';
    this.#line = '';
    if (isEnd) {
      const isNews = this.#hasData && !this.#isQuiet;
      this.#hasData = this.#isQuiet = false;
      return isNews;
    }
    // A comment has no name, and other fields mean nothing here.
    if (field === 'data') {
      this.#hasData = true;
    } else if (field === 'event') {
      this.#isQuiet = QUIET.has(value);
    }
    return false;
  }
}
