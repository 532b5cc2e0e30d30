/** A percentage: by a slider and by a number, which say the same. */
import { Input, Label, NumberField, Slider, SliderThumb, SliderTrack } from 'react-aria-components';

interface Props {
  label: string;
  value: number;
  isDisabled?: boolean;
  change: (value: number) => void;
}

const FORMAT = { style: 'unit', unit: 'percent', maximumFractionDigits: 3 } as const;

export function Share({ label, value, isDisabled = false, change }: Props) {
  return (
    <div className="share">
      <Slider aria-label={label} className="slider" value={value} onChange={(given) => change(given as number)} minValue={0} maxValue={100} step={1} formatOptions={FORMAT} isDisabled={isDisabled}>
        <SliderTrack className="track">
          <SliderThumb className="thumb" />
        </SliderTrack>
      </Slider>
      <NumberField className="field" value={value} onChange={(given) => !Number.isNaN(given) && change(given)} minValue={0} maxValue={100} formatOptions={FORMAT} isDisabled={isDisabled}>
        <Label>{label}</Label>
        <Input />
      </NumberField>
    </div>
  );
}
