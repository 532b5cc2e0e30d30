/** A sentence that says how something stands: with a sign and a word, never by its colour alone. */
import type { ReactNode } from 'react';

const SIGNS = { good: '✓', warning: '!', problem: '✕', info: 'i' } as const;

export function Note({ kind, children }: { kind: keyof typeof SIGNS; children: ReactNode }) {
  return (
    <div className={`note note-${kind}`} role={kind === 'problem' ? 'alert' : 'status'}>
      <span className="sign" aria-hidden="true">
        {SIGNS[kind]}
      </span>
      <div>{children}</div>
    </div>
  );
}
