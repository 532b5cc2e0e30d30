/** The header `Retry-After` [11.19]. */
import { decide } from '../decide.js';

/** For how many milliseconds the server asks to be left alone. */
export function retryAfterMs(headers: Headers): number | null {
  const header = headers.get('retry-after');
  return header === null ? null : (decide({ decide: 'retry_after', header, date: headers.get('date'), now_ms: Date.now() }) as number | null);
}
