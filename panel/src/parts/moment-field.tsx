/** A moment, in the time of this browser; kept in UTC. */
import { Input, Label, Text, TextField } from 'react-aria-components';

interface Props {
  label: string;
  hint?: string;
  value: string;
  isDisabled?: boolean;
  change: (value: string | null) => void;
}

/** What the browser's own field takes. */
function local(value: string): string {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) {
    return '';
  }
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function MomentField({ label, hint, value, isDisabled = false, change }: Props) {
  const take = (text: string) => {
    const time = new Date(text);
    change(text === '' || Number.isNaN(time.getTime()) ? null : time.toISOString());
  };
  return (
    <TextField className="field" type="datetime-local" value={local(value)} onChange={take} isDisabled={isDisabled}>
      <Label>{label}</Label>
      <Input />
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
    </TextField>
  );
}
