import { useId } from "react";

export interface ChoiceOption {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

export interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly ChoiceOption[];
  readonly onValue: (value: string) => void;
  readonly disabled?: boolean;
}

/** A list to choose one from. */
export function Choice({ label, value, options, onValue, disabled = false }: ChoiceProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} disabled={disabled} onChange={(event) => onValue(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The same with all choices in sight, for what people must see side by side. */
export function Radios({ label, value, options, onValue, disabled = false }: ChoiceProps) {
  const id = useId();
  return (
    <fieldset className="field radios" disabled={disabled}>
      <legend>{label}</legend>
      {options.map((option) => (
        <label key={option.value} className="radio">
          <input
            type="radio"
            name={id}
            value={option.value}
            checked={option.value === value}
            onChange={() => onValue(option.value)}
          />
          <span>
            {option.label}
            {option.hint ? <small className="hint">{option.hint}</small> : null}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
