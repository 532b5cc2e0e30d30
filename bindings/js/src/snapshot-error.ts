import type { Violation } from './types.js';

/** A snapshot was refused whole; what is published stays [12.7]. */
export class SnapshotError extends Error {
  override readonly name: string = 'SnapshotError';
  /** The kind of problem, as a name that does not change, such as `not-json` [9.9]. */
  readonly code: string;
  /** The violations: in strict mode all of them, otherwise at most one. */
  readonly violations: readonly Violation[];

  constructor(message: string, violations: readonly Violation[], code = 'not-a-snapshot') {
    super(message);
    this.code = code;
    this.violations = violations;
  }
}
