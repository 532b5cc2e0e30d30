/** Outcomes: what an app reports of one event, checked before it counts. */
import type { Caller } from '../../../js/src/flags.js';

/** What an app reports of one event; nothing means that it went well. */
export interface Outcome {
  /** Whether it ended in an error: a boolean, or the error itself. */
  error?: boolean | string | Error | null | undefined;
  /** How long it took, in milliseconds, from 0 to a day. */
  durationMs?: number | null | undefined;
  /** A number of the app's, such as a price or a rating: for listeners of `onTrack`, not for guards. */
  value?: number | null | undefined;
  /** Any other field, for listeners of `onTrack`. */
  [field: string]: unknown;
}

/** An outcome that was tracked, for the app's own records. */
export interface Tracked {
  readonly event: string;
  readonly context: Caller;
  readonly error: boolean;
  readonly durationMs: number | null;
  readonly value: number | null;
  /** Every other field; those of a page may be `action`, `shown` and `variant`. */
  readonly fields: { readonly [field: string]: unknown };
  /** Whether a browser has sent it: then anybody can have written it, but for the context. */
  readonly fromBrowser: boolean;
}

/** A longer duration is a mistake in the unit, or a clock that jumped (`spec/GUARD.md`, 1.1). */
export const LONGEST_MS = 86_400_000;

/** Whether this is the name of an event. */
export const isEvent = (event: unknown): event is string => typeof event === 'string' && event !== '';

/** Whether it is an error: 1 or 0; undefined if the value does not say. */
export function errorOf(error: unknown): 0 | 1 | undefined {
  if (error === undefined || error === null || error === false) {
    return 0;
  }
  return error === true || typeof error === 'string' || isError(error) ? 1 : undefined;
}

/** An error of any realm, such as those of test runners. */
const isError = (given: unknown): boolean => given instanceof Error || Object.prototype.toString.call(given) === '[object Error]';

/** The duration, `NaN` for none; undefined if it is not one. */
export function durationOf(ms: unknown): number | undefined {
  if (ms === undefined || ms === null) {
    return Number.NaN;
  }
  return typeof ms === 'number' && ms >= 0 && ms <= LONGEST_MS ? ms : undefined;
}

/** Whether a value can be used, or there is none. */
export const isValue = (value: unknown): value is number | null | undefined => value === undefined || value === null || Number.isFinite(value);
