/** The emergency rollback: publishes a snapshot without the feature, and the one with it again. */
import type { ReactElement } from 'react';
import { WATCHED } from './handed.ts';

interface ReleaseProps {
  isRolledBack: boolean;
  onRelease: (act: 'rollback' | 'restore') => void;
}

export function Release({ isRolledBack, onRelease }: ReleaseProps): ReactElement {
  return (
    <section className="card">
      <h2>Release</h2>
      <p>
        <code>{WATCHED}</code> is <b>{isRolledBack ? 'rolled back' : 'active'}</b>.
      </p>
      <button
        type="button"
        className={isRolledBack ? 'wide' : 'wide danger'}
        onClick={() => onRelease(isRolledBack ? 'restore' : 'rollback')}
      >
        {isRolledBack ? 'Restore the feature' : 'Emergency rollback'}
      </button>
    </section>
  );
}
