/** One of a few, with its label: a list that the browser draws itself would not follow the language of the page. */
import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue } from 'react-aria-components';

interface Props {
  label: string;
  value: string;
  options: { id: string; text: string }[];
  choose: (id: string) => void;
}

export function Choice({ label, value, options, choose }: Props) {
  return (
    <Select className="field" value={value} onChange={(id) => choose(String(id))}>
      <Label>{label}</Label>
      <Button className="select">
        <SelectValue />
        <span aria-hidden="true">▾</span>
      </Button>
      <Popover className="popover">
        <ListBox className="choices" items={options}>
          {({ id, text }) => (
            <ListBoxItem id={id} textValue={text} className="choice">
              {text}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
