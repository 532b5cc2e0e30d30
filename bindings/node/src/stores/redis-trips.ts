/** Trips in Redis: a hash beside the key of the snapshot, with a trip for each flag that has tripped. */
import type { Trip } from '../tracking/proposals.js';

/**
 * Takes a trip unless the flag has one of its run or a later one, and tells whoever listens. Its arguments are the flag,
 * the run and the trip, and the channel.
 */
export const PROPOSE = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known)['run'] >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[1])
return 1`;

/** The trips of an answer to `HGETALL`, without values that are no trips. */
export function tripsIn(answer: unknown): Trip[] {
  return pairs(answer).flatMap(([flag, text]) => {
    const run = runOf(text);
    return run === null ? [] : [{ flag, run, text }];
  });
}

/** Drivers give a list of names and values in turn, a map, or an object. */
function pairs(answer: unknown): [string, string][] {
  if (Array.isArray(answer)) {
    return answer.flatMap((name, at) => (at % 2 === 0 ? [[String(name), String(answer[at + 1])] as [string, string]] : []));
  }
  const entries = answer instanceof Map ? [...answer] : Object.entries(answer ?? {});
  return entries.map(([name, value]) => [String(name), String(value)]);
}

function runOf(text: string): number | null {
  try {
    const { run } = JSON.parse(text) as { run?: unknown };
    return Number.isSafeInteger(run) && (run as number) > 0 ? (run as number) : null;
  } catch {
    return null;
  }
}
