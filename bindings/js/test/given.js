// What the tests of section 12 publish and expect.
import { host } from './hosts.js';

export const ON = { enabled: true, value: true, variant: null, reason: 'STATIC', errorCode: null };
/** A resolution without an answer. */
export const none = (errorCode) => ({ enabled: false, value: null, variant: null, reason: 'ERROR', errorCode });
export const forUser = (name, user) => ({ name, enabled: true, target_users: [user] });
export const publish = (flags, ...rows) => flags.publishSync(JSON.stringify(rows));

export function flagsOf(...rows) {
  const flags = new host.Flags();
  publish(flags, ...rows);
  return flags;
}
