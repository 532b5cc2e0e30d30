/** The red button of one flag, which asks once. */
import { useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import { useRollBack } from '../api/flags.ts';
import { useWords } from '../language/language.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Refused } from '../parts/refusal.tsx';
import { useToast } from '../parts/toasts.tsx';

export function Stop({ flagKey }: { flagKey: string }) {
  const { t } = useWords();
  const [isOpen, open] = useState(false);
  const [reason, setReason] = useState('');
  const stop = useRollBack();
  const say = useToast();
  const run = async () => {
    const began = performance.now();
    try {
      const { history } = await stop.mutateAsync({ key: flagKey, reason: reason === '' ? t('emergency.reason') : reason });
      say(t('emergency.done', { flag: flagKey, ms: Math.round(performance.now() - began) }), history);
      open(false);
    } catch {
      // It is shown below.
    }
  };
  return (
    <>
      <Button className="danger" onPress={() => open(true)}>
        {t('stop')}
      </Button>
      <Dialog title={t('stop.title', { flag: flagKey })} isOpen={isOpen} close={() => open(false)}>
        <p>{t('stop.about')}</p>
        <TextField className="field" value={reason} onChange={setReason} maxLength={1_000}>
          <Label>{t('reason.optional')}</Label>
          <Input />
        </TextField>
        <Refused problem={stop.error} />
        <div className="row end">
          <Button onPress={() => open(false)}>{t('cancel')}</Button>
          <Button className="danger" autoFocus isDisabled={stop.isPending} onPress={() => void run()}>
            {t('stop.confirm')}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
