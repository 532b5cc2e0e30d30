/** All flags: searched and filtered by the address, ten thousand as well as ten. */
import { useMemo } from 'react';
import { GridList, GridListItem, Input, Label, ListLayout, SearchField, useFilter, Virtualizer } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { type Listed, useFlags } from '../api/flags.ts';
import { listOf, textOf } from '../flag/row.ts';
import { STATES, stateOf } from '../flag/state.ts';
import { useWords } from '../language/language.tsx';
import { addressOf, useAddress } from '../parts/address.ts';
import { Audience } from '../parts/audience.tsx';
import { Choice } from '../parts/choice.tsx';
import { Note } from '../parts/note.tsx';
import { Refused } from '../parts/refusal.tsx';
import { Badge } from '../parts/state.tsx';

const LAYOUT = { estimatedRowSize: 76, gap: 0 };

const valuesOf = (flags: Listed[], field: string) => [...new Set(flags.flatMap(({ flag }) => listOf(flag, field)))].sort();

export function Flags() {
  const { t, number } = useWords();
  const flags = useFlags();
  const [query, change] = useAddress();
  const [, go] = useLocation();
  const { contains } = useFilter({ sensitivity: 'base' });
  const [text, state, plan, region] = ['q', 'state', 'plan', 'region'].map((name) => query.get(name) ?? '') as [string, string, string, string];
  const all = useMemo(() => (flags.data ?? []).toSorted((a, b) => a.key.localeCompare(b.key)), [flags.data]);
  const [plans, regions] = useMemo(() => [valuesOf(all, 'target_plans'), valuesOf(all, 'target_regions')], [all]);
  const shown = useMemo(() => {
    // Without a list a flag is for every plan.
    const takes = (listed: string[], wanted: string) => wanted === '' || listed.length === 0 || listed.includes(wanted);
    return all.filter(
      ({ key, flag }) =>
        (contains(key, text) || contains(textOf(flag, 'description'), text)) &&
        (state === '' || stateOf(flag) === state) &&
        takes(listOf(flag, 'target_plans'), plan) &&
        takes(listOf(flag, 'target_regions'), region),
    );
  }, [all, text, state, plan, region, contains]);
  const options = (values: string[]) => [{ id: '', text: t('any') }, ...values.map((value) => ({ id: value, text: value }))];
  return (
    <div className="stack screen">
      <div className="line">
        <h1>{t('flags')}</h1>
        <Link href="/new" className="button primary">
          {t('new-flag')}
        </Link>
      </div>
      <search className="filters">
        <SearchField className="field wide" value={text} onChange={(q) => change({ q })}>
          <Label>{t('search')}</Label>
          <Input />
        </SearchField>
        <Choice
          label={t('state')}
          value={state}
          options={[{ id: '', text: t('any') }, ...STATES.map((id) => ({ id, text: t(`state.${id}`) }))]}
          choose={(state) => change({ state })}
        />
        <Choice label={t('plan')} value={plan} options={options(plans)} choose={(plan) => change({ plan })} />
        <Choice label={t('region')} value={region} options={options(regions)} choose={(region) => change({ region })} />
      </search>
      <Refused problem={flags.error} />
      {flags.isError && flags.data !== undefined && <Note kind="warning">{t('stale')}</Note>}
      <p role="status" className="faint">
        {t('count', { shown: number(shown.length), all: number(all.length) })}
      </p>
      {flags.data?.length === 0 && <Note kind="info">{t('no-flags')}</Note>}
      {shown.length > 0 && (
        <Virtualizer layout={ListLayout} layoutOptions={LAYOUT}>
          <GridList className="flags" aria-label={t('flags')} items={shown} dependencies={[t]} onAction={(key) => go(addressOf(String(key)))}>
            {(listed: Listed) => <FlagRow listed={listed} />}
          </GridList>
        </Virtualizer>
      )}
    </div>
  );
}

function FlagRow({ listed: { key, flag } }: { listed: Listed }) {
  const description = textOf(flag, 'description');
  return (
    <GridListItem id={key} textValue={key} className="flag-row">
      <div className="flag-name">
        <code>{key}</code>
        <span className="faint clip">{description}</span>
      </div>
      <Badge state={stateOf(flag)} />
      <span className="audience clip">
        <Audience row={flag} />
      </span>
    </GridListItem>
  );
}
