/** Signing in with an admin token. */
import { type FormEvent, useState } from 'react';
import { Button, Dialog, Input, Label, Modal, ModalOverlay, TextField } from 'react-aria-components';
import { Refusal } from '../api/client.ts';
import { useSignIn } from '../api/session.ts';
import { useWords } from '../language/language.tsx';
import { LanguageChoice } from '../parts/frame.tsx';
import { Note } from '../parts/note.tsx';
import { Refused } from '../parts/refusal.tsx';

export function SignIn() {
  return (
    <main className="alone">
      <Form />
    </main>
  );
}

/** Above everything, also above a dialog that is open: what was typed is kept below. */
export function SignInAgain() {
  const { t } = useWords();
  return (
    <ModalOverlay className="overlay" isOpen isKeyboardDismissDisabled>
      <Modal className="modal">
        <Dialog aria-label={t('sign-in')}>
          <Form />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Form() {
  const { t } = useWords();
  const [token, setToken] = useState('');
  const signIn = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(token.trim(), { onSuccess: () => setToken('') });
  };
  const isWrong = signIn.error instanceof Refusal && (signIn.error.status === 401 || signIn.error.status === 403);
  return (
    <form className="card stack" onSubmit={submit}>
      <div className="line">
        <h1>{t('sign-in.title')}</h1>
        <LanguageChoice />
      </div>
      <p>{t('sign-in.about')}</p>
      <TextField className="field" type="password" value={token} onChange={setToken} isRequired autoComplete="current-password">
        <Label>{t('token')}</Label>
        <Input />
      </TextField>
      {isWrong ? <Note kind="problem">{t('sign-in.wrong')}</Note> : <Refused problem={signIn.error} />}
      <Button className="primary" type="submit" isDisabled={signIn.isPending}>
        {t('sign-in')}
      </Button>
    </form>
  );
}
