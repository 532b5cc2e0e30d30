/** The emergency rollback: from every screen by Ctrl+K or the red button, the name, Enter. */
import { useEffect, useRef, useState } from 'react';
import { Autocomplete, Button, Input, Label, ListBox, ListBoxItem, SearchField, useFilter } from 'react-aria-components';
import { type Listed, useFlags, useRollBack } from '../api/flags.ts';
import { isOn } from '../flag/row.ts';
import { stateOf } from '../flag/state.ts';
import { useWords } from '../language/language.tsx';
import { Dialog } from './dialog.tsx';
import { Refused } from './refusal.tsx';
import { Badge } from './state.tsx';
import { useToast } from './toasts.tsx';

/** More rows than that are not looked through by eye. */
const SHOWN = 50;

export function Emergency() {
  const { t } = useWords();
  const [isOpen, open] = useState(false);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        open(true);
      }
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
  return (
    <>
      <Button className="danger" aria-keyshortcuts="Control+K" onPress={() => open(true)}>
        {t('emergency')} <kbd>Ctrl K</kbd>
      </Button>
      <Dialog title={t('emergency.title')} isOpen={isOpen} close={() => open(false)}>
        <Search close={() => open(false)} />
      </Dialog>
    </>
  );
}

function Search({ close }: { close: () => void }) {
  const { t } = useWords();
  const say = useToast();
  const flags = useFlags();
  const stop = useRollBack();
  const { contains } = useFilter({ sensitivity: 'base' });
  const [text, setText] = useState('');
  // The one with exactly this name comes first, then those that are on.
  const rank = ({ key, flag }: Listed) => (key === text ? 2 : Number(isOn(flag)));
  const found = (flags.data ?? []).filter(({ key }) => contains(key, text)).sort((a, b) => rank(b) - rank(a));
  // Enter may come before the list has marked its first row, or be taken by both of them.
  const isRunning = useRef(false);
  const run = async (key: string | undefined) => {
    if (key === undefined || isRunning.current) {
      return;
    }
    isRunning.current = true;
    const began = performance.now();
    try {
      const { history } = await stop.mutateAsync({ key, reason: t('emergency.reason') });
      say(t('emergency.done', { flag: key, ms: Math.round(performance.now() - began) }), history);
      close();
    } catch {
      // It is shown below.
    }
    isRunning.current = false;
  };
  return (
    <div className="stack">
      <p>{t('emergency.about')}</p>
      <Autocomplete inputValue={text} onInputChange={setText}>
        <SearchField autoFocus className="field" onSubmit={(typed) => void (typed.trim() !== '' && run(found[0]?.key))}>
          <Label>{t('flag.key')}</Label>
          <Input placeholder="crm_…" />
        </SearchField>
        <ListBox className="choices" aria-label={t('flags')} selectionMode="none" onAction={(key) => void run(String(key))}>
          {found.slice(0, SHOWN).map(({ key, flag }) => (
            <ListBoxItem key={key} id={key} textValue={key} className="choice">
              <code>{key}</code>
              <Badge state={stateOf(flag)} />
            </ListBoxItem>
          ))}
        </ListBox>
      </Autocomplete>
      <Refused problem={stop.error} />
    </div>
  );
}
