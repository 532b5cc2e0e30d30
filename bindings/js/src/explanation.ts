/** An explanation as the Rust half writes it [10.1], and as JavaScript has it. */
import { type Outcome, type WireResolution, resolutionFrom, resolutionOf } from './outcome.js';
import type { Explanation, Step } from './types.js';

interface WireExplanation extends WireResolution {
  first_no: string | null;
  first_no_code: string | null;
  path: Step[];
  text: string;
}

export function explanationFrom(said: string): Explanation {
  const wire = JSON.parse(said) as WireExplanation;
  return { resolution: resolutionFrom(wire), steps: wire.path, firstNo: wire.first_no, firstNoCode: wire.first_no_code, text: wire.text };
}

/** An answer without its steps, and the reason why they are missing. */
export function unexplained(key: string, outcome: Outcome, why: string): Explanation {
  const resolution = resolutionOf(outcome);
  return { resolution, steps: [], firstNo: null, firstNoCode: null, text: `\`${key}\` is ${resolution.enabled ? 'ON' : 'OFF'}: ${why}` };
}
