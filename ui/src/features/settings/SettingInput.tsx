import { Choice } from "@/components/Choice";
import { Field } from "@/components/Field";

import { formatShare, parse } from "@/format/decimal";
import { ageText } from "@/format/time";

import { asTyped, type SettingSchema } from "./schema";

export interface SettingInputProps {
  readonly name: string;
  readonly schema: SettingSchema;
  readonly value: string;
  readonly range: string;
  readonly changed: boolean;
  readonly error?: string | undefined;
  readonly onValue: (value: string) => void;
}

/** One setting: its unit, range, default and meaning come from the definition. */
export function SettingInput({ name, schema, value, range, changed, error, onValue }: SettingInputProps) {
  const hint = [
    meaning(schema, value),
    schema.description,
    range ? `From ${range}.` : "",
    `Default: ${asTyped(schema.default) || "none"}.`,
  ].filter(Boolean).join(" ");
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  return (
    <div className={changed ? "setting setting-changed" : "setting"}>
      {choices ? (
        <>
          <Choice label={name} value={value} onValue={onValue} options={choices.map((one) => ({ value: one, label: one }))} />
          <p className="hint">{hint}</p>
        </>
      ) : (
        <Field label={name} unit={unitOf(schema)} value={value} onValue={onValue} hint={hint} error={error} />
      )}
    </div>
  );
}

/** The unit in a word: what a share is stands beside the value instead. */
function unitOf(schema: SettingSchema): string | undefined {
  return schema["x-unit"].replace(/ \(.*\)$/, "") || undefined;
}

/** What a share or a time comes to, in the words that people use. */
export function meaning(schema: SettingSchema, value: string): string {
  const unit = unitOf(schema);
  if (unit === "share" && parse(value)) return `= ${formatShare(value) ?? ""}.`;
  if (unit === "seconds" && /^\d{3,9}$/.test(value)) return `= ${ageText(Number(value) * 1000)}.`;
  return "";
}
