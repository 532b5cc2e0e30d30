/** A list of ids or names: each can be taken out, new ones are typed, pasted with commas, or chosen. */
import { useState } from 'react';
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover, Tag, TagGroup, TagList, Text } from 'react-aria-components';
import { useWords } from '../language/language.tsx';

interface Props {
  label: string;
  hint: string;
  values: string[];
  known: string[];
  isDisabled: boolean;
  change: (values: string[]) => void;
}

/** More are counted and not drawn. */
const SHOWN = 60;

export function Tokens({ label, hint, values, known, isDisabled, change }: Props) {
  const { t, number } = useWords();
  const [text, setText] = useState('');
  const add = (given: string) => {
    const more = given.split(/[,;\n\t]/).map((value) => value.trim()).filter((value) => value !== '');
    if (more.length > 0) {
      change([...new Set([...values, ...more])]);
      setText('');
    }
  };
  const lower = text.toLowerCase();
  const options = known.filter((value) => !values.includes(value) && value.toLowerCase().includes(lower)).slice(0, SHOWN);
  return (
    <div className="tokens">
      <ComboBox
        className="field"
        inputValue={text}
        onInputChange={(given) => (/[,;\n\t]/.test(given) ? add(given) : setText(given))}
        value={null}
        onChange={(key) => add(key === null ? text : String(key))}
        items={options.map((id) => ({ id }))}
        allowsCustomValue
        allowsEmptyCollection={false}
        menuTrigger="focus"
        isDisabled={isDisabled}
      >
        <Label>{label}</Label>
        <Input placeholder={t('tokens.add')} />
        <Text slot="description" className="hint">
          {hint}
        </Text>
        <Popover className="popover">
          <ListBox<{ id: string }> className="choices">
            {({ id }) => (
              <ListBoxItem className="choice" textValue={id}>
                {id}
              </ListBoxItem>
            )}
          </ListBox>
        </Popover>
      </ComboBox>
      {values.length > 0 && (
        <TagGroup aria-label={label} onRemove={isDisabled ? () => undefined : (keys) => change(values.filter((value) => !keys.has(value)))}>
          <TagList className="tags" items={values.slice(0, SHOWN).map((id) => ({ id }))}>
            {({ id }) => (
              <Tag className="tag" textValue={id}>
                {id}
                <Button slot="remove" className="remove" aria-label={t('tokens.remove', { value: id })}>
                  ✕
                </Button>
              </Tag>
            )}
          </TagList>
        </TagGroup>
      )}
      {values.length > SHOWN && <p className="hint">{t('tokens.more', { more: number(values.length - SHOWN) })}</p>}
    </div>
  );
}
