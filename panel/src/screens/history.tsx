/** Everything that was changed, of all flags. */
import { useWords } from '../language/language.tsx';
import { Lines } from './lines.tsx';

export function History() {
  const { t } = useWords();
  return (
    <div className="stack screen">
      <h1>{t('history')}</h1>
      <Lines flagKey={null} />
    </div>
  );
}
