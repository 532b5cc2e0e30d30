/** The state of a flag: a word, a sign and a colour. */
import type { State } from '../flag/state.ts';
import { useWords } from '../language/language.tsx';

const SIGNS: Record<State, string> = { on: '●', partial: '◐', pending: '◷', ended: '◼', tripped: '▲', off: '○' };

export function Badge({ state }: { state: State }) {
  const { t } = useWords();
  return (
    <span className={`state state-${state}`}>
      <span aria-hidden="true">{SIGNS[state]}</span> {t(`state.${state}`)}
    </span>
  );
}
