/** The language of the page: what the person chose, or what the browser asks for. */
import { setupI18n } from '@lingui/core';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { I18nProvider } from 'react-aria-components';
import { en } from './en.ts';
import { es } from './es.ts';

export type Language = 'en' | 'es';
export type Message = keyof typeof en;
export type Values = { [name: string]: string | number };

export interface Words {
  language: Language;
  choose: (language: Language) => void;
  /** A sentence of the catalogue. */
  t: (message: Message, values?: Values) => string;
  /** Whether the catalogue has a sentence for a name that the engine or the server gives. */
  has: (message: string) => message is Message;
  number: (value: number) => string;
  /** A percentage, given as people write it: 12.5 for 12.5 %. */
  percent: (value: number) => string;
  moment: (value: string | number | Date) => string;
  day: (value: string | number | Date) => string;
  ago: (value: string | number | Date) => string;
  list: (values: string[]) => string;
}

const KEPT = 'esclusa-language';
const CATALOGUES = { en, es };
const Chosen = createContext<Words | null>(null);

function wanted(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'en' || kept === 'es') {
    return kept;
  }
  const known = navigator.languages.map((language) => language.slice(0, 2)).find((language) => language === 'es' || language === 'en');
  return known === 'es' ? 'es' : 'en';
}

/** With the country of the browser, so that numbers are written as people there write them. */
function localeOf(language: Language): string {
  return navigator.languages.find((locale) => locale.startsWith(language)) ?? (language === 'es' ? 'es-CO' : 'en');
}

export function words(language: Language, locale: string, choose: (language: Language) => void): Words {
  const catalogue: Record<Message, string> = CATALOGUES[language];
  const i18n = setupI18n({ locale: language, messages: { [language]: catalogue } });
  i18n.setMessagesCompiler(compileMessage);
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 3 });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const list = new Intl.ListFormat(locale, { type: 'conjunction' });
  return {
    language,
    choose,
    t: (message, values) => i18n._(message, values),
    has: (message): message is Message => Object.hasOwn(catalogue, message),
    number: (value) => number.format(value),
    percent: (value) => percent.format(value / 100),
    moment: (value) => moment.format(new Date(value)),
    day: (value) => day.format(new Date(value)),
    ago: (value) => ago(relative, new Date(value).getTime() - Date.now()),
    list: (values) => list.format(values),
  };
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000_000],
  ['month', 2_592_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

function ago(relative: Intl.RelativeTimeFormat, milliseconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(milliseconds) >= size) ?? ['second', 1_000];
  return relative.format(Math.round(milliseconds / size), unit);
}

export function Speaking({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(wanted);
  const locale = localeOf(language);
  const chosen = useMemo(() => {
    const choose = (language: Language) => {
      localStorage.setItem(KEPT, language);
      setLanguage(language);
    };
    return words(language, locale, choose);
  }, [language, locale]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return (
    <I18nProvider locale={locale}>
      <Chosen.Provider value={chosen}>{children}</Chosen.Provider>
    </I18nProvider>
  );
}

export function useWords(): Words {
  const chosen = useContext(Chosen);
  if (chosen === null) {
    throw new Error('useWords() is used outside of <Speaking>');
  }
  return chosen;
}
