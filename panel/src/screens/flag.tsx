/** One flag: its fields, who has it with the draft, saving, and its history. */
import { useEffect, useRef, useState } from 'react';
import { Button, Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { Link } from 'wouter';
import { type Listed, useFlags } from '../api/flags.ts';
import { changed, columnOf, editable, listOf, type Row, TARGETS } from '../flag/row.ts';
import { stateOf } from '../flag/state.ts';
import { useWords } from '../language/language.tsx';
import { useAddress } from '../parts/address.ts';
import { Audience } from '../parts/audience.tsx';
import { Note } from '../parts/note.tsx';
import { Preview, useFlips } from '../parts/preview.tsx';
import { Refused } from '../parts/refusal.tsx';
import { Badge } from '../parts/state.tsx';
import { Definition } from './definition.tsx';
import { Lines } from './lines.tsx';
import { Save } from './save.tsx';
import { Stop } from './stop.tsx';
import { Targeting } from './targeting.tsx';

export function Flag() {
  const { t } = useWords();
  const [query] = useAddress();
  const key = query.get('key') ?? '';
  const flags = useFlags();
  const listed = flags.data?.find((flag) => flag.key === key);
  // What was typed stays on the page also if somebody has deleted the flag.
  const last = useRef<Listed>(undefined);
  if (listed !== undefined) {
    last.current = listed;
  }
  const shown = listed ?? (last.current?.key === key ? last.current : undefined);
  if (shown === undefined) {
    return flags.isPending ? <p className="waiting">{t('waiting')}</p> : flags.data === undefined ? <Refused problem={flags.error} /> : <h1>{t('flag.gone')}</h1>;
  }
  return (
    <div className="stack screen">
      {flags.isError && <Note kind="warning">{t('stale')}</Note>}
      {listed === undefined && flags.data !== undefined && <Note kind="warning">{t('flag.gone')}</Note>}
      <Editor key={key} listed={shown} rows={(flags.data ?? []).map(({ flag }) => flag)} />
    </div>
  );
}

function Editor({ listed, rows }: { listed: Listed; rows: Row[] }) {
  const { t, number } = useWords();
  const [query, change] = useAddress();
  // What the draft began with: a change of the same field by others is found by it.
  const [base, setBase] = useState(listed);
  const [draft, setDraft] = useState<Row>({});
  const [isSaving, setSaving] = useState(false);
  const isClean = Object.keys(draft).length === 0;
  useEffect(() => {
    if (isClean) {
      setBase(listed);
    }
  }, [listed, isClean]);
  const known = isClean ? listed : base;
  const row = { ...known.flag, ...draft };
  const counted = useFlips(rows, known.flag, row);
  const edit = (next: Row) => setDraft(changed(known.flag, normal(known.flag, next)));
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => !isClean && event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isClean]);
  const flips = (counted?.on ?? 0) + (counted?.off ?? 0);
  return (
    <>
      <header className="stack tight">
        <div className="line">
          <div className="row">
            <h1>
              <code>{known.key}</code>
            </h1>
            <Badge state={stateOf(listed.flag)} />
          </div>
          <div className="row">
            <Link className="button" href={`/why?${new URLSearchParams({ flag: known.key }).toString()}`}>
              {t('why')}
            </Link>
            <Stop flagKey={known.key} />
          </div>
        </div>
        <p className="faint">
          <Audience row={row} />
        </p>
      </header>
      <Tabs selectedKey={query.get('tab') ?? 'who'} onSelectionChange={(tab) => change({ tab: tab === 'who' ? '' : String(tab) })}>
        <TabList aria-label={t('flag.parts')} className="tabs">
          <Tab id="who">{t('targeting')}</Tab>
          <Tab id="json">JSON</Tab>
          <Tab id="history">{t('history')}</Tab>
        </TabList>
        <TabPanel id="who">
          <div className="two">
            <div className="card">
              <Targeting row={row} isKnown change={edit} />
            </div>
            <aside className="card beside" aria-labelledby="preview" tabIndex={0}>
              <h2 id="preview">{t('preview')}</h2>
              <Preview counted={counted} />
            </aside>
          </div>
        </TabPanel>
        <TabPanel id="json">
          <div className="card">
            <Definition row={row} violations={counted?.violations ?? []} change={edit} />
          </div>
        </TabPanel>
        <TabPanel id="history">
          <Lines flagKey={known.key} />
        </TabPanel>
      </Tabs>
      {!isClean && (
        <div className="save-bar">
          <span role="status">{t('draft.changes', { changes: Object.keys(draft).length })}</span>
          <Button onPress={() => setDraft({})}>{t('draft.discard')}</Button>
          <Button className="primary" onPress={() => setSaving(true)}>
            {counted === undefined ? t('save.open') : t('save.open-with', { flips: number(flips) })}
          </Button>
        </div>
      )}
      <Save
        isOpen={isSaving}
        close={() => setSaving(false)}
        base={base}
        draft={draft}
        counted={counted}
        rebase={(listed, draft) => {
          setBase(listed);
          setDraft(draft);
        }}
      />
    </>
  );
}

/** An empty list where there was none is no change. */
function normal(base: Row, row: Row): Row {
  const lists = TARGETS.map((target) => columnOf(row, target)).filter((column) => column !== undefined);
  const empty = lists.filter((column) => listOf(row, column).length === 0 && listOf(base, column).length === 0);
  return { ...editable(row), ...Object.fromEntries(empty.map((column) => [column, base[column] ?? null])) };
}
