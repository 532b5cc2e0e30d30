/** A new flag: off until somebody switches it on. */
import { useState } from 'react';
import { Button, Input, Label, Text, TextField } from 'react-aria-components';
import { useLocation } from 'wouter';
import { useCreate } from '../api/flags.ts';
import { useWords } from '../language/language.tsx';
import { addressOf } from '../parts/address.ts';
import { Refused } from '../parts/refusal.tsx';
import { useToast } from '../parts/toasts.tsx';

export function NewFlag() {
  const { t } = useWords();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [reason, setReason] = useState('');
  const [, go] = useLocation();
  const create = useCreate();
  const say = useToast();
  const run = async () => {
    try {
      const key = name.trim();
      const { history } = await create.mutateAsync({ flag: { name: key, enabled: false, ...(description === '' ? {} : { description }) }, reason });
      say(t('new.done', { flag: key }), history);
      go(addressOf(key));
    } catch {
      // It is shown below.
    }
  };
  return (
    <form
      className="stack screen card narrow"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <h1>{t('new-flag')}</h1>
      <TextField className="field" value={name} onChange={setName} isRequired maxLength={255} autoFocus>
        <Label>{t('flag.key')}</Label>
        <Input placeholder="crm_advanced_features" spellCheck={false} />
        <Text slot="description" className="hint">
          {t('new.about')}
        </Text>
      </TextField>
      <TextField className="field" value={description} onChange={setDescription}>
        <Label>{t('field.description')}</Label>
        <Input />
      </TextField>
      <TextField className="field" value={reason} onChange={setReason} maxLength={1_000}>
        <Label>{t('reason')}</Label>
        <Input />
      </TextField>
      <Refused problem={create.error} />
      <div className="row end">
        <Button className="primary" type="submit" isDisabled={create.isPending}>
          {t('new.create')}
        </Button>
      </div>
    </form>
  );
}
