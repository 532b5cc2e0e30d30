/** The fields of a flag: who, how many, when. */
import { useMemo } from 'react';
import { Button, Input, Label, Switch, TextField } from 'react-aria-components';
import { useFlags } from '../api/flags.ts';
import { useSample } from '../engine/engine.ts';
import { columnOf, isOn, listOf, type Row, type ScheduleStep, scheduleOf, shareOf, type Target, TARGETS, textOf, withField } from '../flag/row.ts';
import { useWords } from '../language/language.tsx';
import { MomentField } from '../parts/moment-field.tsx';
import { Share } from '../parts/share.tsx';
import { Tokens } from '../parts/tokens.tsx';

interface Props {
  row: Row;
  /** Whether the row is one that the table has, and so shows its columns. */
  isKnown: boolean;
  change: (row: Row) => void;
}

const ATTRIBUTES: Record<Target, string> = { target_plans: 'plan', target_roles: 'role', target_regions: 'region', target_companies: 'company', target_users: 'user' };

/** Values that may be chosen: those of other flags and of the people. */
function useKnown(): Record<Target, string[]> {
  const flags = useFlags();
  const { people } = useSample();
  return useMemo(() => {
    const known = (target: Target) => {
      const values = new Set((flags.data ?? []).flatMap(({ flag }) => listOf(flag, target)));
      people.forEach((person) => [person[ATTRIBUTES[target]]].flat().forEach((value) => typeof value === 'string' && values.add(value)));
      return [...values].sort();
    };
    return Object.fromEntries(TARGETS.map((target) => [target, known(target)])) as Record<Target, string[]>;
  }, [flags.data, people]);
}

export function Targeting({ row, isKnown, change }: Props) {
  const { t } = useWords();
  const known = useKnown();
  const isMissing = (field: string) => isKnown && columnOf(row, field) === undefined;
  const set = (field: string, value: unknown) => change(withField(row, field, value));
  const hint = (field: string, text: string) => (isMissing(field) ? t('no-column', { column: field }) : text);
  const share = shareOf(row);
  return (
    <div className="stack">
      <Switch className="switch" isSelected={isOn(row)} onChange={(enabled) => set('enabled', enabled)}>
        <span className="indicator" aria-hidden="true" />
        {t(isOn(row) ? 'enabled.on' : 'enabled.off')}
      </Switch>
      <TextField className="field" value={textOf(row, 'description')} onChange={(text) => set('description', text === '' ? null : text)} isDisabled={isMissing('description')}>
        <Label>{t('field.description')}</Label>
        <Input />
      </TextField>
      <section className="stack" aria-labelledby="who">
        <h2 id="who">{t('who')}</h2>
        {TARGETS.map((target) => (
          <Tokens
            key={target}
            label={t(`field.${target}`)}
            hint={hint(target, listOf(row, target).length === 0 ? t('tokens.everybody') : t('tokens.only'))}
            values={listOf(row, target)}
            known={known[target]}
            isDisabled={isMissing(target)}
            change={(values) => set(target, values)}
          />
        ))}
      </section>
      <section className="stack" aria-labelledby="share">
        <h2 id="share">{t('how-many')}</h2>
        <Share label={t('field.rollout_percentage')} value={share ?? 100} change={(value) => set('rollout_percentage', value)} isDisabled={isMissing('rollout_percentage')} />
        <p className="hint">{hint('rollout_percentage', t('share.about'))}</p>
      </section>
      <section className="stack" aria-labelledby="when">
        <h2 id="when">{t('when')}</h2>
        <div className="pair">
          {(['start_date', 'end_date'] as const).map((field) => (
            <MomentField key={field} label={t(`field.${field}`)} value={textOf(row, field)} isDisabled={isMissing(field)} change={(value) => set(field, value)} />
          ))}
        </div>
        <Schedule steps={scheduleOf(row)} isMissing={isMissing('schedule')} change={(steps) => set('schedule', steps.length === 0 ? null : steps)} />
      </section>
    </div>
  );
}

function Schedule({ steps, isMissing, change }: { steps: ScheduleStep[]; isMissing: boolean; change: (steps: ScheduleStep[]) => void }) {
  const { t } = useWords();
  const set = (at: number, step: Partial<ScheduleStep>) => change(steps.map((known, number) => (number === at ? { ...known, ...step } : known)));
  const later = () => {
    const last = Date.parse(steps.at(-1)?.at ?? '');
    const at = new Date((Number.isNaN(last) ? Date.now() : last) + 7 * 86_400_000);
    at.setSeconds(0, 0);
    change([...steps, { at: at.toISOString(), rollout_percentage: 100 }]);
  };
  return (
    <fieldset className="stack schedule">
      <legend>{t('field.schedule')}</legend>
      {isMissing && <p className="hint">{t('no-column', { column: 'schedule' })}</p>}
      <ol className="stack">
        {steps.map((step, at) => (
          <li key={at} className="step">
            <MomentField label={t('schedule.at')} value={step.at} change={(value) => value !== null && set(at, { at: value })} />
            <Share label={t('schedule.share')} value={Number(step.rollout_percentage)} change={(rollout_percentage) => set(at, { rollout_percentage })} />
            <Button onPress={() => change(steps.filter((_, number) => number !== at))}>{t('schedule.remove', { step: at + 1 })}</Button>
          </li>
        ))}
      </ol>
      <Button onPress={later} isDisabled={isMissing}>
        {t('schedule.add')}
      </Button>
    </fieldset>
  );
}
