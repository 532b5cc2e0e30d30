/** The path to an answer as a tree, with the first no on top; the sentences are made from the engine's codes. */
import type { Explanation, Step } from '../api/history.ts';
import { useWords, type Words } from '../language/language.tsx';

/** Operands that are shares in thousandths of a percent, and those that are moments. */
const SHARES = ['bucket', 'threshold', 'from'];
const MOMENTS = ['start', 'end', 'now', 'at', 'to'];

/** The sentence of a step; the engine's own for a code that is not known here. */
export function sentenceOf(step: Step, words: Words): string {
  const message = `step.${step.code}`;
  if (!words.has(message)) {
    return step.sentence;
  }
  const values = Object.fromEntries(Object.entries(step).filter(([name]) => !['steps', 'sentence'].includes(name)).map(([name, value]) => [name, operand(name, value, step.code, words)]));
  return words.t(message, { field: '', more: 0, start: '', end: '', ...values, outcome: step.outcome });
}

function operand(name: string, value: unknown, code: string, { t, has, list, percent, moment }: Words): string {
  if (value === null || value === undefined) {
    return t('value.none');
  }
  if (typeof value === 'number' && SHARES.includes(name)) {
    return percent(value / 1_000);
  }
  if (typeof value === 'string' && (MOMENTS.includes(name) || (code === 'now' && name === 'from'))) {
    return Number.isNaN(Date.parse(value)) ? value : moment(value);
  }
  if (['target', 'field', 'unit', 'attribute'].includes(name) && typeof value === 'string') {
    const message = `of.${value}`;
    return has(message) ? t(message) : value;
  }
  if (Array.isArray(value)) {
    return list(value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))));
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The innermost step that said no first. */
function firstNo(steps: Step[]): Step | undefined {
  return steps.find(({ outcome }) => outcome === 'no');
}

export function Path({ flagKey, explanation, isOpen }: { flagKey: string; explanation: Explanation; isOpen: boolean }) {
  const words = useWords();
  const { t } = words;
  const no = explanation.enabled ? undefined : firstNo(explanation.path);
  return (
    <article className="card stack tight">
      <div className="row">
        <h2>
          <code>{flagKey}</code>
        </h2>
        <span className={explanation.enabled ? 'state state-on' : 'state state-off'}>
          <span aria-hidden="true">{explanation.enabled ? '●' : '○'}</span> {t(explanation.enabled ? 'why.on' : 'why.off')}
        </span>
        {explanation.variant !== null && explanation.variant !== undefined && <span className="faint">{t('why.variant', { variant: explanation.variant })}</span>}
      </div>
      {no !== undefined && (
        <p className="first-no">
          <strong>{t('why.because')}</strong> {sentenceOf(no, words)}
        </p>
      )}
      <details open={isOpen}>
        <summary>{t('why.steps', { steps: explanation.path.length })}</summary>
        <Steps steps={explanation.path} />
      </details>
    </article>
  );
}

const SIGNS = { yes: '✓', no: '✕', unknown: '?' } as const;

function Steps({ steps }: { steps: Step[] }) {
  const words = useWords();
  return (
    <ul className="steps">
      {steps.map((step, at) => (
        <li key={at}>
          <span className={`sign sign-${step.outcome}`} aria-hidden="true">
            {SIGNS[step.outcome]}
          </span>
          <span className="away">{words.t(`outcome.${step.outcome}`)}: </span>
          {sentenceOf(step, words)}
          {typeof step['bucket'] === 'number' && typeof step['threshold'] === 'number' && <Ruler bucket={step['bucket']} threshold={step['threshold']} />}
          {step.steps !== undefined && <Steps steps={step.steps} />}
        </li>
      ))}
    </ul>
  );
}

/** Where a bucket lies, against the share; the sentence says the same. */
function Ruler({ bucket, threshold }: { bucket: number; threshold: number }) {
  return (
    <svg className="ruler" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect className="ruler-all" x="0" y="2" width="100" height="2" />
      <rect className="ruler-share" x="0" y="2" width={threshold / 1_000} height="2" />
      <rect className="ruler-bucket" x={bucket / 1_000 - 0.3} y="0" width="0.6" height="6" />
    </svg>
  );
}
