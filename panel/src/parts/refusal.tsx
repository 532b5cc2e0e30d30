/** Why the server refuses something, in the language of the page; its own sentence stands below. */
import { Refusal } from '../api/client.ts';
import { useWords, type Words } from '../language/language.tsx';
import { Note } from './note.tsx';
import { Violations } from './violations.tsx';

export function sentenceOf(problem: unknown, { t, has }: Words): string {
  const status = problem instanceof Refusal ? problem.status : -1;
  const message = `refused.${status}`;
  return has(message) ? t(message) : t('refused.other', { status });
}

export function Refused({ problem }: { problem: unknown }) {
  const words = useWords();
  if (problem === null || problem === undefined) {
    return null;
  }
  const violations = problem instanceof Refusal ? problem.body.violations : undefined;
  const detail = problem instanceof Error ? problem.message : '';
  return (
    <Note kind="problem">
      <p>{sentenceOf(problem, words)}</p>
      {violations !== undefined && violations.length > 0 ? (
        <Violations violations={violations} />
      ) : (
        detail !== '' && (
          <p className="small" lang="en">
            {detail}
          </p>
        )
      )}
    </Note>
  );
}
