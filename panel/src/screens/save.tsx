/** Saving: what changes in words, who flips, the reason; and what somebody else has changed meanwhile. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import { Refusal } from '../api/client.ts';
import { type Listed, preview, read as readFlag, useSave } from '../api/flags.ts';
import type { Counted } from '../engine/census.ts';
import { useSample } from '../engine/engine.ts';
import type { Row } from '../flag/row.ts';
import { useWords } from '../language/language.tsx';
import { Changes, nameOf, valueIn } from '../parts/changes.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Note } from '../parts/note.tsx';
import { Preview } from '../parts/preview.tsx';
import { Refused } from '../parts/refusal.tsx';
import { useToast } from '../parts/toasts.tsx';

interface Props {
  isOpen: boolean;
  close: () => void;
  base: Listed;
  draft: Row;
  counted: Counted | undefined;
  rebase: (listed: Listed, draft: Row) => void;
}

export function Save(props: Props) {
  const { t } = useWords();
  return (
    <Dialog title={t('save.title', { flag: props.base.key })} isOpen={props.isOpen} close={props.close}>
      <Content {...props} />
    </Dialog>
  );
}

interface Conflict {
  field: string;
  current?: unknown;
  yours?: unknown;
}

function Content({ base, draft, counted, close, rebase }: Props) {
  const { t } = useWords();
  const [reason, setReason] = useState('');
  const [conflicts, setConflicts] = useState<Conflict[]>([]);
  const queries = useQueryClient();
  const save = useSave();
  const say = useToast();
  const { key } = base;
  const checked = useQuery({ queryKey: ['preview', key, base.etag, draft], queryFn: () => preview({ key, flag: draft }), retry: false });
  const run = async () => {
    try {
      const { history } = await save.mutateAsync({ key, etag: base.etag, flag: draft, reason });
      const { flag, etag } = await readFlag(key);
      rebase({ key, flag, etag }, {});
      say(t('save.done', { flag: key }), history);
      close();
    } catch (problem) {
      if (problem instanceof Refusal && problem.status === 412) {
        setConflicts((problem.body.conflicts ?? []) as Conflict[]);
      }
    }
  };
  const settle = async (kept: Row) => {
    const { flag, etag } = await readFlag(key);
    rebase({ key, flag, etag }, kept);
    setConflicts([]);
    save.reset();
    void queries.invalidateQueries({ queryKey: ['flags'] });
    if (Object.keys(kept).length === 0) {
      close();
    }
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <Changes before={Object.fromEntries(Object.keys(draft).map((column) => [column, base.flag[column]]))} after={draft} />
      <Preview counted={counted} />
      <Examples counted={counted} />
      {checked.data?.flags.some(({ reshuffles }) => reshuffles.length > 0) === true && <Note kind="warning">{t('save.reshuffles')}</Note>}
      {checked.data !== undefined && checked.data.flags.length > 1 && (
        <Note kind="info">{t('save.others', { flags: checked.data.flags.map(({ flag }) => flag).filter((flag) => flag !== key).join(', ') })}</Note>
      )}
      <Refused problem={checked.error} />
      <TextField className="field" value={reason} onChange={setReason} maxLength={1_000} autoFocus>
        <Label>{t('reason')}</Label>
        <Input />
      </TextField>
      {conflicts.length > 0 ? <Conflicts conflicts={conflicts} draft={draft} settle={settle} /> : <Refused problem={save.error} />}
      <div className="row end">
        <Button onPress={close}>{t('cancel')}</Button>
        <Button className="primary" type="submit" isDisabled={save.isPending || conflicts.length > 0}>
          {t('save')}
        </Button>
      </div>
    </form>
  );
}

function Conflicts({ conflicts, draft, settle }: { conflicts: Conflict[]; draft: Row; settle: (kept: Row) => Promise<void> }) {
  const words = useWords();
  const { t } = words;
  const theirs = conflicts.map(({ field }) => field);
  return (
    <Note kind="warning">
      <div className="stack tight">
        <p>{t('refused.412')}</p>
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t('conflict.field')}</th>
              <th scope="col">{t('conflict.now')}</th>
              <th scope="col">{t('conflict.yours')}</th>
            </tr>
          </thead>
          <tbody>
            {conflicts.map(({ field, current, yours }) => (
              <tr key={field}>
                <th scope="row">{nameOf(field, words)}</th>
                <td>{valueIn(field, current, words)}</td>
                <td>{valueIn(field, yours, words)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <div className="row">
          <Button onPress={() => void settle(draft)}>{t('conflict.mine')}</Button>
          <Button onPress={() => void settle(Object.fromEntries(Object.entries(draft).filter(([column]) => !theirs.includes(column))))}>{t('conflict.theirs')}</Button>
        </div>
      </div>
    </Note>
  );
}

/** Some of those who flip. */
function Examples({ counted }: { counted: Counted | undefined }) {
  const { t } = useWords();
  const { isMadeUp } = useSample();
  const examples = counted?.examples ?? [];
  if (examples.length === 0 || isMadeUp) {
    return null;
  }
  return (
    <section aria-labelledby="examples">
      <h3 id="examples">{t('examples')}</h3>
      <ul className="examples">
        {examples.map(({ person, isOn }) => (
          <li key={String(person['user'])}>
            <span className={isOn ? 'gain' : 'loss'}>{t(isOn ? 'examples.on' : 'examples.off')}</span>{' '}
            {['user', 'company', 'plan', 'role', 'region'].flatMap((name) => (person[name] === undefined ? [] : [String(person[name])])).join(' · ')}
          </li>
        ))}
      </ul>
    </section>
  );
}
