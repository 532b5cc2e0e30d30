/** What the engine cannot use in a flag: where, and what is wrong. */
import { useWords } from '../language/language.tsx';

export interface Violation {
  place: string;
  code: string;
  problem?: string;
}

export function Violations({ violations }: { violations: Violation[] }) {
  const { t, has, language } = useWords();
  return (
    <ul className="violations">
      {violations.map(({ place, code, problem }) => {
        const message = `violation.${code}`;
        return (
          <li key={`${place} ${code}`}>
            <code>{place === '' ? '/' : place}</code> {has(message) ? t(message) : code}
            {problem !== undefined && problem !== '' && (
              <span className="small" lang="en">
                {language === 'en' ? ` ${problem}` : <> ({problem})</>}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
