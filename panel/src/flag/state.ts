/** How a flag stands, by its own columns: what the list shows and filters by. Who gets it is the engine's answer. */
import { isOn, type Row, shareOf, textOf, tripOf } from './row.ts';

export const STATES = ['on', 'partial', 'pending', 'ended', 'tripped', 'off'] as const;
export type State = (typeof STATES)[number];

export function stateOf(row: Row, now = Date.now()): State {
  if (tripOf(row) !== null) {
    return 'tripped';
  }
  const status = textOf(row, 'status');
  if (!isOn(row) || ['paused', 'archived', 'draft', 'inactive'].includes(status)) {
    return 'off';
  }
  const [start, end] = [Date.parse(textOf(row, 'start_date')), Date.parse(textOf(row, 'end_date'))];
  if (start > now) {
    return 'pending';
  }
  if (end <= now) {
    return 'ended';
  }
  return (shareOf(row) ?? 100) < 100 ? 'partial' : 'on';
}
