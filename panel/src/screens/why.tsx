/** Why somebody gets what they get: a pasted context or a person, now or at a past moment. */
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from 'react-aria-components';
import { explain } from '../api/history.ts';
import { useFlags } from '../api/flags.ts';
import { useSample } from '../engine/engine.ts';
import type { Row } from '../flag/row.ts';
import { useWords } from '../language/language.tsx';
import { useAddress } from '../parts/address.ts';
import { Choice } from '../parts/choice.tsx';
import { MomentField } from '../parts/moment-field.tsx';
import { Note } from '../parts/note.tsx';
import { Refused } from '../parts/refusal.tsx';
import { Path } from './path.tsx';

const EXAMPLE = '{\n  "user": "user-42",\n  "company": "acme",\n  "plan": "PREMIUM",\n  "role": "ADMIN",\n  "region": "CO"\n}';
/** People that may be picked by their id. */
const PICKED = 50;

export function Why() {
  const { t, moment } = useWords();
  const [query, change] = useAddress();
  const flags = useFlags();
  const [text, setText] = useState(EXAMPLE);
  const [at, setAt] = useState<string | null>(null);
  const [isWrong, setWrong] = useState(false);
  const id = useId();
  const ask = useMutation({ mutationFn: explain });
  const flag = query.get('flag') ?? '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const context = read(text);
    setWrong(context === null);
    if (context !== null) {
      ask.mutate({ context, flag: flag === '' ? null : flag, at });
    }
  };
  const keys = (flags.data ?? []).map(({ key }) => key).sort();
  return (
    <div className="stack screen">
      <h1>{t('why')}</h1>
      <form className="card stack" onSubmit={submit}>
        <div className="pair">
          <Choice label={t('why.flag')} value={flag} options={[{ id: '', text: t('why.all') }, ...keys.map((key) => ({ id: key, text: key }))]} choose={(flag) => change({ flag })} />
          <MomentField label={t('why.at')} hint={t('why.at-hint')} value={at ?? ''} change={setAt} />
          <Person choose={(person) => setText(JSON.stringify(person, null, 2))} />
        </div>
        <div className="field">
          <label htmlFor={id}>{t('why.context')}</label>
          <textarea id={id} className="code" rows={8} spellCheck={false} value={text} aria-invalid={isWrong} onChange={(event) => setText(event.target.value)} />
        </div>
        {isWrong && <Note kind="problem">{t('why.unreadable')}</Note>}
        <Refused problem={ask.error} />
        <div>
          <Button className="primary" type="submit" isDisabled={ask.isPending}>
            {t('why.ask')}
          </Button>
        </div>
      </form>
      {ask.data !== undefined && (
        <section className="stack" aria-live="polite" aria-label={t('why.answers')}>
          <p className="faint">{t('why.of', { moment: moment(ask.data.at) })}</p>
          {ask.data.flags.map(({ flag, explanation }) => (
            <Path key={flag} flagKey={flag} explanation={explanation} isOpen={ask.data.flags.length === 1} />
          ))}
        </section>
      )}
    </div>
  );
}

function read(text: string): Row | null {
  try {
    const given = JSON.parse(text) as unknown;
    return typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Row) : null;
  } catch {
    return null;
  }
}

function Person({ choose }: { choose: (person: Row) => void }) {
  const { t } = useWords();
  const { people } = useSample();
  const [text, setText] = useState('');
  const found = people.filter((person) => String(person['user'] ?? '').includes(text)).slice(0, PICKED);
  const items = found.map((person) => ({ id: String(person['user'] ?? ''), person }));
  return (
    <ComboBox
      className="field"
      items={items}
      inputValue={text}
      onInputChange={setText}
      menuTrigger="focus"
      onChange={(key) => {
        const person = items.find(({ id }) => id === key)?.person;
        if (person !== undefined) {
          choose(person);
        }
      }}
    >
      <Label>{t('why.person')}</Label>
      <Input />
      <Popover className="popover">
        <ListBox<{ id: string; person: Row }> className="choices">
          {({ id, person }) => (
            <ListBoxItem className="choice" textValue={id}>
              <span>{id}</span>
              <span className="faint small">{[person['company'], person['plan'], person['region']].filter(Boolean).join(' · ')}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
