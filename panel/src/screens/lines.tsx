/** Lines of the history: who, when, why, what; and the way back. */
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link } from 'wouter';
import { useUndo } from '../api/flags.ts';
import { type Line, useHistory } from '../api/history.ts';
import { useWords } from '../language/language.tsx';
import { addressOf } from '../parts/address.ts';
import { Changes } from '../parts/changes.tsx';
import { Note } from '../parts/note.tsx';
import { Refused } from '../parts/refusal.tsx';
import { useToast } from '../parts/toasts.tsx';

const PAGE = 50;
const MOST = 1_000;

export function Lines({ flagKey }: { flagKey: string | null }) {
  const { t } = useWords();
  const [limit, setLimit] = useState(PAGE);
  const history = useHistory(flagKey, limit);
  if (history.isPending) {
    return <p className="waiting">{t('waiting')}</p>;
  }
  const lines = history.data ?? [];
  return (
    <div className="stack">
      <Refused problem={history.error} />
      {history.isSuccess && lines.length === 0 && <Note kind="info">{t('history.none')}</Note>}
      <ol className="lines">
        {lines.map((line) => (
          <Shown key={line.id ?? `${line.at} ${line.flag}`} line={line} isNamed={flagKey === null} />
        ))}
      </ol>
      {lines.length === limit && limit < MOST && <Button onPress={() => setLimit(Math.min(limit * 4, MOST))}>{t('history.more')}</Button>}
    </div>
  );
}

function Shown({ line, isNamed }: { line: Line; isNamed: boolean }) {
  const { t, has, moment, ago } = useWords();
  const undo = useUndo();
  const say = useToast();
  const action = `action.${line.action}`;
  const takeBack = async (id: string) => {
    try {
      const { history } = await undo.mutateAsync(id);
      say(t('undone'), history);
    } catch {
      // It is shown below.
    }
  };
  const { id } = line;
  return (
    <li className="card stack tight">
      <div className="line">
        <div className="row">
          <strong>{has(action) ? t(action) : line.action}</strong>
          {isNamed && (
            <Link href={addressOf(line.flag)}>
              <code>{line.flag}</code>
            </Link>
          )}
          <span className="faint">
            {line.by ?? t('history.unknown')} · <time dateTime={line.at} title={ago(line.at)}>{moment(line.at)}</time>
          </span>
        </div>
        {id !== null && (
          <Button isDisabled={undo.isPending} onPress={() => void takeBack(id)} aria-label={t('history.undo', { action: has(action) ? t(action) : line.action, moment: moment(line.at) })}>
            {t('undo')}
          </Button>
        )}
      </div>
      {line.reason !== null && line.reason !== '' && <p>“{line.reason}”</p>}
      {line.old !== null && line.new !== null ? (
        <Changes before={line.old} after={line.new} />
      ) : (
        <details>
          <summary>{t(line.old === null ? 'history.made' : 'history.deleted')}</summary>
          <Changes before={line.old} after={line.new} />
        </details>
      )}
      <Refused problem={undo.error} />
    </li>
  );
}
