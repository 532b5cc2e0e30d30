/** An explanation as the Rust half writes it [10.1], and as JavaScript has it. */
import { type Outcome, type WireResolution, resolutionFrom, resolutionOf } from './outcome.js';
import type { Explanation, Step } from './types.js';

interface WireExplanation extends WireResolution {
  first_no: string | null;
  path: Step[];
  text: string;
}

export function explanationFrom(said: string): Explanation {
  const wire = JSON.parse(said) as WireExplanation;
  return { resolution: resolutionFrom(wire), steps: wire.path, firstNo: wire.first_no, text: wire.text };
}

/** Why there is no answer, where the engine was not asked. */
export function unexplained(key: string, outcome: Outcome): Explanation {
  const isBroken = outcome.errorCode === 'INVALID_CONTEXT';
  const why = isBroken ? 'the context cannot be read, expected a plain object' : 'nothing is published yet';
  const text = `\`${key}\` is OFF: ${why}\n  serves null (${outcome.reason}, ${outcome.errorCode})`;
  return { resolution: resolutionOf(outcome), steps: [], firstNo: null, text };
}
