/** Outcomes: the few different answers of a flag set, as values of JavaScript. */
import type { ErrorCode, JsonValue, Projected, Reason, Resolution } from './types.js';

/** One of the answers that a set gives. */
export interface Outcome {
  readonly enabled: boolean;
  /** An immutable value; an object or a list is in `text` instead. */
  readonly value: JsonValue;
  /** An object or a list as JSON: each caller gets its own copy. */
  readonly text: string | null;
  readonly variant: string | null;
  readonly reason: Reason;
  readonly errorCode: ErrorCode | null;
  /** Whether there is an answer; if not, the caller's default counts [12.1]. */
  readonly answered: boolean;
}

/** A resolution as the Rust half writes it [7.18]. */
export interface WireResolution {
  enabled: boolean;
  value: JsonValue;
  variant: string | null;
  reason: Reason;
  error: ErrorCode | null;
}

const UNANSWERED: ReadonlySet<ErrorCode | null> = new Set(['PROVIDER_NOT_READY', 'FLAG_NOT_FOUND', 'INVALID_CONTEXT'] as const);

export function outcome(wire: WireResolution): Outcome {
  const { enabled, value, variant, reason, error } = wire;
  const isTree = typeof value === 'object' && value !== null;
  const text = isTree ? JSON.stringify(value) : null;
  return { enabled, value: isTree ? null : value, text, variant, reason, errorCode: error, answered: !UNANSWERED.has(error) };
}

/** There is no answer [12.3]. */
export function none(error: ErrorCode): Outcome {
  return outcome({ enabled: false, value: null, variant: null, reason: 'ERROR', error });
}

export function valueOf(outcome: Outcome): JsonValue {
  return outcome.text === null ? outcome.value : (JSON.parse(outcome.text) as JsonValue);
}

export function resolutionOf(outcome: Outcome): Resolution {
  const { enabled, variant, reason, errorCode } = outcome;
  return { enabled, value: valueOf(outcome), variant, reason, errorCode };
}

export function resolutionFrom({ enabled, value, variant, reason, error }: WireResolution): Resolution {
  return { enabled, value, variant, reason, errorCode: error };
}

/** The outcome in a projection [10.2]. */
export function projected(outcome: Outcome): Projected {
  const { enabled, variant } = outcome;
  return { enabled, value: valueOf(outcome), ...(variant !== null && { variant }) };
}
