/** The flag as JSON, with the engine's problems at their lines. */
import { useId, useState } from 'react';
import type { Counted } from '../engine/census.ts';
import { editable, type Row } from '../flag/row.ts';
import { useWords } from '../language/language.tsx';
import { Note } from '../parts/note.tsx';
import { Violations } from '../parts/violations.tsx';

interface Props {
  row: Row;
  violations: Counted['violations'];
  change: (row: Row) => void;
}

/** The line of the field in which a JSON pointer begins. */
function lineOf(text: string, place: string): number | null {
  const field = place.split('/')[1];
  const at = field === undefined ? -1 : text.split('\n').findIndex((line) => line.startsWith(`  ${JSON.stringify(field)}:`));
  return at < 0 ? null : at + 1;
}

export function Definition({ row, violations, change }: Props) {
  const { t } = useWords();
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const written = JSON.stringify(editable(row), null, 2);
  const text = typed ?? written;
  const [problem, setProblem] = useState('');
  const take = (text: string) => {
    setTyped(text);
    try {
      const given = JSON.parse(text) as unknown;
      if (typeof given !== 'object' || given === null || Array.isArray(given)) {
        setProblem(t('json.no-object'));
        return;
      }
      setProblem('');
      // A field that was taken out is emptied.
      const emptied = Object.fromEntries(Object.keys(editable(row)).map((name) => [name, null]));
      change({ ...row, ...emptied, ...given });
    } catch (error) {
      setProblem(String((error as Error).message));
    }
  };
  const places = violations.map((violation) => {
    const line = lineOf(text, violation.place);
    return line === null ? violation : { ...violation, place: t('json.line', { line, place: violation.place }) };
  });
  return (
    <div className="stack">
      <div className="field">
        <label htmlFor={id}>{t('json.label')}</label>
        <textarea
          id={id}
          className="code"
          spellCheck={false}
          rows={Math.min(28, text.split('\n').length + 1)}
          value={text}
          aria-invalid={problem !== '' || violations.length > 0}
          aria-describedby={`${id}-problems`}
          onChange={(event) => take(event.target.value)}
          onBlur={() => problem === '' && setTyped(null)}
        />
      </div>
      <div id={`${id}-problems`}>
        {problem !== '' && (
          <Note kind="problem">
            {t('json.unreadable')} <span lang="en">{problem}</span>
          </Note>
        )}
        {problem === '' && violations.length > 0 && (
          <Note kind="problem">
            <Violations violations={places} />
          </Note>
        )}
      </div>
    </div>
  );
}
