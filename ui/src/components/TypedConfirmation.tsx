import { Field } from "./Field";

export interface TypedConfirmationProps {
  /** What has to be typed: the account's name, or CONFIRM. */
  readonly word: string;
  /** Why, in one sentence. */
  readonly why: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** A word to be typed before something dangerous; no setting takes it away. */
export function TypedConfirmation({ word, why, value, onValue }: TypedConfirmationProps) {
  return (
    <div className="typed-confirmation">
      <p>
        <strong>⚠ {why}</strong>
      </p>
      <Field label={`Type ${word} to confirm`} value={value} onValue={onValue} />
    </div>
  );
}

export function isConfirmed(word: string, typed: string): boolean {
  return typed.trim() === word;
}
