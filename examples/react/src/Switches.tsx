/** The switches: who is asking. */
import type { ReactElement } from 'react';
import { CHOICES, FIELDS } from './who.ts';
import type { Who } from './who.ts';

export function Switches({ who, onChange }: { who: Who; onChange: (who: Who) => void }): ReactElement {
  return (
    <section className="card">
      <h2>Who is asking</h2>
      {FIELDS.map((field) => (
        <fieldset key={field}>
          <legend>{field}</legend>
          {CHOICES[field].map((choice) => (
            <label key={choice} className={who[field] === choice ? 'chip chosen' : 'chip'}>
              <input
                type="radio"
                name={field}
                value={choice}
                checked={who[field] === choice}
                onChange={() => onChange({ ...who, [field]: choice })}
              />
              {choice}
            </label>
          ))}
        </fieldset>
      ))}
    </section>
  );
}
