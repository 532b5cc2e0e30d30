/** The header `Retry-After` [11.19]. */
import { decide } from '../decide.js';

/** The wait that the server asks for, in milliseconds. */
export function retryAfterMs(headers: Headers): number | null {
  const header = headers.get('retry-after');
  return header === null ? null : (decide({ decide: 'retry_after', header, date: headers.get('date'), now_ms: Date.now() }) as number | null);
}
