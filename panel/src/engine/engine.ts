/** Asks the engine in the worker. A browser without WebAssembly has none, and everything else works. */
import { useEffect, useMemo, useRef, useState } from 'react';
import { useFlags } from '../api/flags.ts';
import { usePeople } from '../api/people.ts';
import type { Row } from '../flag/row.ts';
import type { aside, Counted, matrix } from './census.ts';
import { sample } from './sample.ts';
import type { Question } from './worker.ts';

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (problem: Error) => void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
let next = 0;

export const hasEngine = typeof WebAssembly === 'object' && typeof Worker === 'function';

function ask(question: Question): Promise<unknown> {
  worker ??= begin();
  const number = next++;
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve, reject });
    worker?.postMessage({ number, question });
  });
}

function begin(): Worker {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<{ number: number; answer?: unknown; problem?: string }>) => {
    const { resolve, reject } = waiting.get(data.number) ?? {};
    waiting.delete(data.number);
    if (data.problem === undefined) {
      resolve?.(data.answer);
    } else {
      reject?.(new Error(data.problem));
    }
  });
  return worker;
}

/** The people of whom is asked, and whether they were made up from the values of the flags. */
export function useSample(): { people: Row[]; isMadeUp: boolean } {
  const flags = useFlags();
  const known = usePeople();
  const { data: given, isPending } = known;
  return useMemo(() => {
    // Those that the server knows, and the flags, may still be on their way.
    if (isPending || flags.data === undefined) {
      return { people: [], isMadeUp: false };
    }
    const isMadeUp = given === undefined || given.length === 0;
    return { people: isMadeUp ? sample((flags.data ?? []).map(({ flag }) => flag)) : given, isMadeUp };
    // Which values flags have changes seldom; that flags were read again says nothing.
  }, [given, isPending, flags.data?.length]);
}

let asked: Row[] | undefined;

/** The newest answer to a question; while one is being worked out, only the last of the next ones waits. */
function useAnswer<T>(question: Question | null, people: Row[]): T | undefined {
  const [answer, setAnswer] = useState<T>();
  const state = useRef<{ isBusy: boolean; next: Question | null }>({ isBusy: false, next: null });
  useEffect(() => {
    if (question === null || !hasEngine || people.length === 0) {
      return;
    }
    const { current } = state;
    const run = async (question: Question) => {
      current.isBusy = true;
      try {
        if (asked !== people) {
          asked = people;
          await ask({ kind: 'people', people });
        }
        setAnswer((await ask(question)) as T);
      } catch {
        setAnswer(undefined);
      }
      current.isBusy = false;
      const { next } = current;
      current.next = null;
      if (next !== null) {
        void run(next);
      }
    };
    if (current.isBusy) {
      current.next = question;
    } else {
      void run(question);
    }
  }, [question, people]);
  return answer;
}

export const useCount = (question: Question | null, people: Row[]) => useAnswer<Counted>(question, people);
export const useMatrix = (question: Question | null, people: Row[]) => useAnswer<ReturnType<typeof matrix>>(question, people);
export const useAside = (question: Question | null, people: Row[]) => useAnswer<ReturnType<typeof aside>>(question, people);
