// What an OpenFeature provider answers [12.8], asked through the real SDK; both SDKs are asked the same.

import assert from 'node:assert/strict';

const NOT = { value: 'default', reason: 'ERROR' };

/** The flags that are asked for. */
export const ROWS = [
  { name: 'on', enabled: true },
  { name: 'off', enabled: false },
  { name: 'premium', enabled: true, target_plans: ['PREMIUM'] },
  { name: 'half', enabled: true, rollout_percentage: 50, off_value: false },
  { name: 'text', enabled: true, variants: [{ key: 'a', value: 'A' }] },
  { name: 'whole', enabled: true, variants: [{ key: 'n', value: 3 }] },
  { name: 'double', enabled: true, variants: [{ key: 'n', value: 2.5 }] },
  { name: 'object', enabled: true, variants: [{ key: 'o', value: { columns: [1, 2] } }] },
  { name: 'list', enabled: true, variants: [{ key: 'l', value: [1, 2] }] },
  { name: 'nothing', enabled: true, variants: [{ key: 'v' }] },
  { name: 'broken', enabled: true, rollout_percentage: 150 },
  { name: 'window', enabled: true, start_date: '2020-01-01' },
];

/** Type, key, default, context, and what the SDK's details must hold. */
export const ASKED = [
  ['boolean', 'on', false, {}, { value: true, reason: 'STATIC' }],
  ['boolean', 'off', true, {}, { value: false, reason: 'DISABLED' }],
  ['boolean', 'premium', false, { plan: 'PREMIUM' }, { value: true, reason: 'TARGETING_MATCH' }],
  ['boolean', 'premium', true, { plan: 'FREE' }, { value: false, reason: 'DEFAULT' }],
  ['boolean', 'half', false, { targetingKey: 'user-3' }, { value: true, reason: 'SPLIT' }],
  ['boolean', 'half', true, { targetingKey: 'user-1' }, { value: false, reason: 'SPLIT' }],
  ['boolean', 'half', false, {}, { value: false, reason: 'ERROR', errorCode: 'TARGETING_KEY_MISSING' }],
  ['boolean', 'broken', false, {}, { value: false, reason: 'ERROR', errorCode: 'PARSE_ERROR' }],
  ['boolean', 'missing', true, {}, { value: true, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' }],
  ['boolean', 'text', true, {}, { value: true, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' }],
  ['boolean', 'window', false, { when: new Date(0) }, { value: true, reason: 'TARGETING_MATCH' }],
  ['string', 'text', 'default', {}, { value: 'A', variant: 'a', reason: 'STATIC' }],
  ['string', 'on', 'default', {}, { ...NOT, errorCode: 'TYPE_MISMATCH' }],
  ['string', 'missing', 'default', {}, { ...NOT, errorCode: 'FLAG_NOT_FOUND' }],
  ['string', 'nothing', 'default', {}, { value: 'default', variant: 'v', reason: 'STATIC' }],
  ['number', 'whole', 0, {}, { value: 3, variant: 'n', reason: 'STATIC' }],
  ['number', 'double', 0, {}, { value: 2.5, variant: 'n', reason: 'STATIC' }],
  ['number', 'text', 7, {}, { value: 7, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' }],
  ['object', 'object', {}, {}, { value: { columns: [1, 2] }, variant: 'o', reason: 'STATIC' }],
  ['object', 'list', [], {}, { value: [1, 2], variant: 'l', reason: 'STATIC' }],
  ['object', 'whole', { d: 1 }, {}, { value: { d: 1 }, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' }],
  ['object', 'nothing', { d: 1 }, {}, { value: { d: 1 }, variant: 'v', reason: 'STATIC' }],
];

/** The parts of an SDK's details that a provider decides. */
export function decided({ value, variant, reason, errorCode }) {
  return { value, ...(variant === undefined ? {} : { variant }), reason, ...(errorCode === undefined ? {} : { errorCode }) };
}

/** Contexts of which each is asked about three times in turn; a caller that is remembered must not be mistaken. */
export const CALLERS = [
  { targetingKey: 'u', plan: 'PREMIUM' },
  { targetingKey: 'u', plan: 'FREE' },
  { targetingKey: 'u' },
  { targetingKey: 'u', plan: 'PREMIUM', roles: ['A', 'B'] },
  { plan: 'PREMIUM', targetingKey: 'u' },
  { targetingKey: 'u', plan: ['PREMIUM'] },
  { targetingKey: 'u', plan: new Date(0) },
  {},
];
/** Whether the flag `premium` is on for each. */
export const PREMIUM = [true, false, false, true, true, false, false, false];

/** The SDK's method for a type. */
export const method = (type) => `get${type[0].toUpperCase()}${type.slice(1)}Details`;

/** A provider hears of publishes while it is in use, and only then. */
export async function publishes(provider, flags, changed) {
  let heard = 0;
  provider.events.addHandler(changed, () => (heard += 1));
  const counts = [];
  const publish = () => {
    flags.publishSync(JSON.stringify(ROWS));
    counts.push(heard);
  };
  publish();
  await provider.initialize();
  publish();
  await provider.onClose();
  publish();
  await provider.initialize();
  publish();
  await provider.onClose();
  publish();
  assert.deepEqual(counts, [0, 1, 1, 2, 2]);
}

/** A provider that is closed while it waits ends the wait. */
export async function closedEarly(provider) {
  const initialised = assert.rejects(provider.initialize(), /the provider was closed before anything was published/);
  await provider.onClose();
  await initialised;
}
