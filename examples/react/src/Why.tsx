/** Why the flag is on or off: the engine in this tab explains the answer that it gives. */
import { useFeatureFlag } from '@esclusa/react';
import type { PlainContext } from '@esclusa/react';
import type { Explanation, Flags } from '@esclusa/wasm/full';
import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';

type Step = Explanation['steps'][number];

const MARKS = { yes: '✓', no: '✕', unknown: '?' };

interface WhyProps {
  flags: Flags | null;
  feature: string;
  context: PlainContext;
}

export function Why({ flags, feature, context }: WhyProps): ReactElement {
  const { isEnabled } = useFeatureFlag(feature);
  usePublishes(flags);
  const explanation = flags?.isReady ? flags.explain(feature, context) : null;
  return (
    <aside className="card why">
      <h2>Why</h2>
      <p>
        <code>{feature}</code> <b className={isEnabled ? 'state on' : 'state off'}>{isEnabled ? 'on' : 'off'}</b>
      </p>
      <p className="from" data-testid="from">
        {explanation ? 'Answered by the engine in this tab.' : 'Answered by the values that the server sent.'}
      </p>
      {explanation && <Path explanation={explanation} />}
    </aside>
  );
}

function Path({ explanation }: { explanation: Explanation }): ReactElement {
  const { resolution, steps, firstNo } = explanation;
  return (
    <>
      <p>
        Reason <code data-testid="reason">{resolution.errorCode ?? resolution.reason}</code>
      </p>
      {firstNo !== null && (
        <p className="first-no" data-testid="first-no">
          {firstNo}
        </p>
      )}
      <Steps steps={steps} />
    </>
  );
}

function Steps({ steps }: { steps: readonly Step[] }): ReactElement {
  return (
    <ol className="steps">
      {steps.map((step, index) => (
        <li key={index} className={step.outcome}>
          <i>{MARKS[step.outcome]}</i>
          <span>{step.sentence}</span>
          {step.steps && <Steps steps={step.steps} />}
        </li>
      ))}
    </ol>
  );
}

/** Renders again after each publish: the path may have changed though the answer did not. */
function usePublishes(flags: Flags | null): void {
  const [, setPublishes] = useState(0);
  useEffect(() => flags?.onPublish(() => setPublishes((publishes) => publishes + 1)), [flags]);
}
