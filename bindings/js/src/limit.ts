/** The limits of a snapshot that hosts check before the engine does. */

/** A longer snapshot is refused whole [2.1.7]. */
export const MAX_SNAPSHOT_BYTES = 268_435_456;
