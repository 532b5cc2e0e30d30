import { kindOf } from './publication.js';

/** The engine cannot count more milliseconds; Python has the same limit. */
const MOST_MS = 9e18;

/** The time for an answer in milliseconds; `NaN`, which the engine reads as now, if none is given. */
export function moment(now: Date | number | null | undefined): number {
  if (now === undefined || now === null) {
    return Number.NaN;
  }
  const isDate = Object.prototype.toString.call(now) === '[object Date]';
  const milliseconds = isDate ? (now as Date).getTime() : now;
  if (typeof milliseconds !== 'number') {
    throw new TypeError(`\`now\` is ${kindOf(now)}, expected a Date or a number of milliseconds since 1970-01-01`);
  }
  if (!Number.isFinite(milliseconds)) {
    throw new RangeError(`\`now\` is ${isDate ? 'an invalid Date' : String(milliseconds)}, expected a point in time`);
  }
  if (Math.abs(milliseconds) >= MOST_MS) {
    throw new RangeError(`\`now\` is ${milliseconds}, which is out of range, in milliseconds`);
  }
  return milliseconds;
}
