/** The whole screen: who is asking on the left, the CRM in the middle, and why on the right. */
import { EsclusaProvider } from '@esclusa/react';
import type { Flags } from '@esclusa/wasm/full';
import { useEffect, useRef, useState } from 'react';
import type { ReactElement } from 'react';
import { Crm } from './Crm.tsx';
import { Release } from './Release.tsx';
import { Switches } from './Switches.tsx';
import { Why } from './Why.tsx';
import { loadEngine } from './engine.ts';
import { WATCHED, ask } from './handed.ts';
import type { Given } from './handed.ts';
import type { Who } from './who.ts';

export function App(first: Given): ReactElement {
  const [given, setGiven] = useState(first);
  const [flags, setFlags] = useState<Flags | null>(null);
  const engine = useRef<Flags | null>(null);
  const wanted = useRef(first.who);
  const asked = useRef(0);

  useEffect(() => {
    loadEngine().then(
      (loaded) => {
        // Nothing is published yet: the projection goes on answering until it is.
        engine.current = loaded;
        setFlags(loaded);
        take(wanted.current);
      },
      (problem: unknown) => console.error('the engine could not be loaded, the values of the server stand:', problem),
    );
  }, []);

  /** Takes what the server has for a caller. An answer that a later question has overtaken is dropped. */
  function take(who: Who, path?: 'rollback' | 'restore'): void {
    wanted.current = who;
    asked.current += 1;
    const mine = asked.current;
    ask(who, path).then(
      (handed) => {
        if (mine !== asked.current) return;
        engine.current?.publishSync(handed.snapshot);
        setGiven(handed);
      },
      (problem: unknown) => console.error('the server did not answer, what is on the screen stands:', problem),
    );
  }

  function become(who: Who): void {
    // Flags that came with their definition follow at once, in this tab. Those that the server decided for the caller
    // follow with its answer, and for another company or user that answer comes first: the two are never mixed.
    const isSameCaller = who.user === given.who.user && who.company === given.who.company;
    if (flags?.isReady && isSameCaller) {
      const { plan, role, region } = who;
      setGiven({ ...given, who, context: { ...given.context, plan, role, region } });
    }
    take(who);
  }

  return (
    <EsclusaProvider flags={flags} context={given.context} projection={given.projection}>
      <div className="desk">
        <aside>
          <Switches who={given.who} onChange={become} />
          <Release isRolledBack={given.isRolledBack} onRelease={(path) => take(given.who, path)} />
        </aside>
        <Crm company={given.who.company} user={given.who.user} />
        <Why flags={flags} feature={WATCHED} context={given.context} />
      </div>
    </EsclusaProvider>
  );
}
