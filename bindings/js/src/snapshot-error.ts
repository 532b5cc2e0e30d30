import type { Violation } from './types.js';

/** A snapshot was refused whole; what is published stays [12.7]. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  /** Every violation: in strict mode all of them, otherwise at most one. */
  readonly violations: readonly Violation[];

  constructor(message: string, violations: readonly Violation[]) {
    super(message);
    this.violations = violations;
  }
}
