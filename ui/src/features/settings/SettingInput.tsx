import { Choice } from "@/components/Choice";
import { Field } from "@/components/Field";

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
  const hint = `${schema.description}${range ? ` ${range}.` : ""} Default: ${asTyped(schema.default) || "none"}.`;
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  return (
    <div className={changed ? "setting setting-changed" : "setting"}>
      {choices ? (
        <>
          <Choice label={name} value={value} onValue={onValue} options={choices.map((one) => ({ value: one, label: one }))} />
          <p className="hint">{hint}</p>
        </>
      ) : (
        <Field label={name} unit={schema["x-unit"] || undefined} value={value} onValue={onValue} hint={hint} error={error} />
      )}
    </div>
  );
}
