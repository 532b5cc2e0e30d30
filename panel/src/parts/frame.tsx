/** What surrounds every screen: where one can go, the language, and the red button. */
import type { ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { useSession, useSignOut } from '../api/session.ts';
import { type Message, useWords } from '../language/language.tsx';
import { Emergency } from './emergency.tsx';

const PLACES: [string, Message][] = [
  ['/overview', 'overview'],
  ['/', 'flags'],
  ['/plans', 'plans'],
  ['/why', 'why'],
  ['/history', 'history'],
];

export function LanguageChoice() {
  const { language, choose, t } = useWords();
  const other = language === 'es' ? 'en' : 'es';
  return (
    <Button className="plain" onPress={() => choose(other)}>
      <span lang={other}>{t('language.other')}</span>
    </Button>
  );
}

export function Frame({ children, isOut }: { children: ReactNode; isOut: boolean }) {
  const { t } = useWords();
  const session = useSession();
  const leave = useSignOut();
  const [path] = useLocation();
  const isAt = (place: string) => path === place || (place === '/' && (path === '/flag' || path === '/new'));
  return (
    <div className="frame">
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      <header className="top">
        <Link href="/overview" className="brand">
          Esclusa
        </Link>
        <nav aria-label={t('places')}>
          {PLACES.map(([place, name]) => (
            <Link key={place} href={place} aria-current={isAt(place) ? 'page' : undefined}>
              {t(name)}
            </Link>
          ))}
        </nav>
        <div className="who">
          {!isOut && <Emergency />}
          <LanguageChoice />
          <Button className="plain" onPress={() => leave.mutate()}>
            {t('sign-out')}
            {session.data?.name !== undefined && <span className="faint"> {session.data.name}</span>}
          </Button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
