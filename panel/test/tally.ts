/** Closes a run with the line that the suites of this repository add up. */
export { Tally } from '../../bindings/react/test/tally.ts';
