import { kindOf } from './publication.js';

/** Beyond this an engine cannot count milliseconds; Python refuses the same. */
const MOST_MS = 9e18;

/** The time that a caller gives for an answer, in milliseconds; none is `NaN`, which the engine reads as now. */
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
