/** Which screen is shown, and what surrounds every screen. */
import { lazy, Suspense, useRef } from 'react';
import { Route, Switch } from 'wouter';
import { useSession } from './api/session.ts';
import { useWords } from './language/language.tsx';
import { Frame } from './parts/frame.tsx';
import { Note } from './parts/note.tsx';
import { Flags } from './screens/flags.tsx';
import { SignIn, SignInAgain } from './screens/sign-in.tsx';

const Flag = lazy(async () => ({ default: (await import('./screens/flag.tsx')).Flag }));
const History = lazy(async () => ({ default: (await import('./screens/history.tsx')).History }));
const Why = lazy(async () => ({ default: (await import('./screens/why.tsx')).Why }));
const Overview = lazy(async () => ({ default: (await import('./screens/overview.tsx')).Overview }));
const Plans = lazy(async () => ({ default: (await import('./screens/plans.tsx')).Plans }));
const NewFlag = lazy(async () => ({ default: (await import('./screens/new-flag.tsx')).NewFlag }));

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
      {isOut && (wasIn.current ? <SignInAgain /> : <SignIn />)}
      {wasIn.current && (
        <div hidden={isOut} inert={isOut}>
          <Frame isOut={isOut}>
            <Suspense fallback={<p className="waiting">{t('waiting')}</p>}>
              <Switch>
                <Route path="/" component={Flags} />
                <Route path="/flag" component={Flag} />
                <Route path="/new" component={NewFlag} />
                <Route path="/history" component={History} />
                <Route path="/overview" component={Overview} />
                <Route path="/plans" component={Plans} />
                <Route path="/why" component={Why} />
                <Route>
                  <h1>{t('nowhere')}</h1>
                </Route>
              </Switch>
            </Suspense>
          </Frame>
        </div>
      )}
    </>
  );
}
