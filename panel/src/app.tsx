/** Which screen is shown, and what surrounds every screen. */
import { useRef } from 'react';
import { Route, Switch } from 'wouter';
import { useSession } from './api/session.ts';
import { useWords } from './language/language.tsx';
import { Frame } from './parts/frame.tsx';
import { Note } from './parts/note.tsx';
import { Flags } from './screens/flags.tsx';
import { SignIn } from './screens/sign-in.tsx';

export function App() {
  const { t } = useWords();
  const session = useSession();
  const wasIn = useRef(false);
  if (session.isPending) {
    return <p className="waiting">{t('waiting')}</p>;
  }
  if (session.data === undefined) {
    return (
      <main className="alone">
        <Note kind="problem">{t('server.away')}</Note>
      </main>
    );
  }
  // What was typed stays: the screens are kept while somebody signs in again.
  const isOut = session.data === null;
  if (!isOut) {
    wasIn.current = true;
  }
  return (
    <>
      {isOut && <SignIn />}
      {wasIn.current && (
        <div hidden={isOut} inert={isOut}>
          <Frame isOut={isOut}>
            <Switch>
              <Route path="/" component={Flags} />
              <Route>
                <h1>{t('nowhere')}</h1>
              </Route>
            </Switch>
          </Frame>
        </div>
      )}
    </>
  );
}
