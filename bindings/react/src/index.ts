'use client';
/** Feature gates and hooks for React. */
export { EsclusaProvider } from './provider.js';
export type { EsclusaProviderProps } from './provider.js';
export { FeatureGate } from './gate.js';
export type { FeatureGateProps } from './gate.js';
export { useFeatureFlag, useFlags, useValue, useVariant } from './hooks.js';
export type { FeatureFlag } from './hooks.js';
export { useTrack } from './tracked.js';
export type { Track } from './tracked.js';
export type { PageOutcome, TrackerLike } from './track.js';
export type { CallerContext, FlagsLike, FlagsSource, JsonValue, PlainContext, Projected, Projection } from './flags.js';
export type * from './registered.js';
