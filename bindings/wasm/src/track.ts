/** The events of a page; for React they come from the same file. */
export { type PageOutcome, PageTracker, type PageTrackerOptions } from '../../react/src/track.js';
