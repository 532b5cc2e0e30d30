/** What was just done, with its undo for ten seconds; it is said to screen readers too. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { useUndo } from '../api/flags.ts';
import { useWords } from '../language/language.tsx';
import { sentenceOf } from './refusal.tsx';

const SHOWN_MS = 10_000;

interface Toast {
  number: number;
  text: string;
  /** The line of the history that can be undone. */
  line?: string | undefined;
}

type Say = (text: string, line?: string) => void;
const Saying = createContext<Say>(() => undefined);
export const useToast = (): Say => useContext(Saying);

export function Toasts({ children }: { children: ReactNode }) {
  const { t } = useWords();
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(0);
  const close = useCallback((number: number) => setToasts((toasts) => toasts.filter((toast) => toast.number !== number)), []);
  const say = useMemo<Say>(() => (text, line) => setToasts((toasts) => [...toasts.slice(-2), { number: next.current++, text, line }]), []);
  return (
    <Saying.Provider value={say}>
      {children}
      <section className="toasts" aria-label={t('toasts')} aria-live="polite">
        {toasts.map((toast) => (
          <Shown key={toast.number} toast={toast} close={close} say={say} />
        ))}
      </section>
    </Saying.Provider>
  );
}

function Shown({ toast, close, say }: { toast: Toast; close: (number: number) => void; say: Say }) {
  const words = useWords();
  const { t } = words;
  const undo = useUndo();
  const [isHeld, hold] = useState(false);
  useEffect(() => {
    // Who reads it or is at its button has all the time.
    if (isHeld) {
      return undefined;
    }
    const timer = setTimeout(() => close(toast.number), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isHeld, toast.number, close]);
  const takeBack = async (line: string) => {
    try {
      await undo.mutateAsync(line);
      say(t('undone'));
    } catch (problem) {
      say(sentenceOf(problem, words));
    }
    close(toast.number);
  };
  const { line } = toast;
  return (
    <div className="toast" onPointerEnter={() => hold(true)} onPointerLeave={() => hold(false)} onFocus={() => hold(true)} onBlur={() => hold(false)}>
      <span>{toast.text}</span>
      {line !== undefined && (
        <Button className="plain strong" isDisabled={undo.isPending} onPress={() => void takeBack(line)}>
          {t('undo')}
        </Button>
      )}
      <Button className="plain" aria-label={t('close')} onPress={() => close(toast.number)}>
        ✕
      </Button>
    </div>
  );
}
