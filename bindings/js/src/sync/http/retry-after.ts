/** The header `Retry-After` in its two forms (section 10.2.3 of RFC 9110). */

/**
 * For how long the server asks to be left alone. A date is taken by the clock of the server, if the answer tells it, so
 * that a wrong clock here does no harm.
 */
export function retryAfterMs(headers: Headers): number | null {
  const asked = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(asked)) {
    // So many digits as nobody means are for ever all the same.
    return Number(asked.slice(0, 12)) * 1000;
  }
  const [until, now] = [Date.parse(asked), Date.parse(headers.get('date') ?? '')];
  return Number.isNaN(until) ? null : Math.max(0, until - (Number.isNaN(now) ? Date.now() : now));
}
