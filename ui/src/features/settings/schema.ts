/** The definition of a setting as the API gives it: what a form needs, and nothing kept beside it. */

import { compare, formatDecimal, parse, toText, typedDecimal } from "@/format/decimal";

export interface SettingSchema {
  readonly type: string;
  readonly description: string;
  readonly default: unknown;
  readonly "x-unit": string;
  /** none, raising, lowering or any: which change lets more be lost. */
  readonly "x-dangerous": string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly "x-minimum"?: string;
  readonly "x-maximum"?: string;
}

export type Typed = { readonly value: unknown } | { readonly error: string };

/** Write a value as it stands in a form. */
export function asTyped(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([name, share]) => `${name}=${String(share)}`).join(", ");
  }
  return value === null || value === undefined ? "" : String(value);
}

/** Read what a person typed, held to the setting's type and range. */
export function fromTyped(schema: SettingSchema, text: string): Typed {
  const plain = text.trim();
  switch (schema.type) {
    case "boolean":
      return { value: plain === "true" };
    case "integer": {
      if (!/^\d{1,12}$/.test(plain)) return { error: "A whole number" };
      return ranged(schema, plain, Number(plain));
    }
    case "array":
      return { value: plain === "" ? [] : plain.split(",").map((word) => word.trim()).filter(Boolean) };
    case "object": {
      const entries = plain === "" ? [] : plain.split(",").map((pair) => pair.split("=").map((word) => word.trim()));
      if (entries.some((entry) => entry.length !== 2 || !entry[0] || !typedDecimal(entry[1] ?? ""))) {
        return { error: "Names with shares, as in trend=0.5, breakout=0.25" };
      }
      return { value: Object.fromEntries(entries) as unknown };
    }
    default:
      if (schema.enum) return schema.enum.includes(plain) ? { value: plain } : { error: `One of ${schema.enum.join(", ")}` };
      if (schema.format === "decimal" || schema["x-minimum"] !== undefined) {
        const decimal = typedDecimal(plain);
        return decimal ? ranged(schema, plain, toText(decimal)) : { error: "A number with a decimal point, no grouping" };
      }
      return { value: plain };
  }
}

function ranged(schema: SettingSchema, plain: string, value: unknown): Typed {
  const least = schema["x-minimum"] ?? (schema.minimum === undefined ? undefined : String(schema.minimum));
  const most = schema["x-maximum"] ?? (schema.maximum === undefined ? undefined : String(schema.maximum));
  const number = parse(plain);
  const low = least === undefined ? undefined : parse(least);
  const high = most === undefined ? undefined : parse(most);
  if (number && ((low && compare(number, low) < 0) || (high && compare(number, high) > 0))) {
    return { error: `From ${least ?? "any"} to ${most ?? "any"}` };
  }
  return { value };
}

export function rangeText(schema: SettingSchema): string {
  const least = schema["x-minimum"] ?? schema.minimum;
  const most = schema["x-maximum"] ?? schema.maximum;
  if (least === undefined && most === undefined) return "";
  const shown = (bound: unknown) => formatDecimal(String(bound ?? "")) ?? "any";
  return `${shown(least)} to ${shown(most)}`;
}

/** Whether a change from one value to another lets more be lost. */
export function isDangerous(schema: SettingSchema, before: unknown, after: unknown): boolean {
  const kind = schema["x-dangerous"];
  if (kind === "none") return false;
  if (kind === "any") return true;
  const from = parse(String(before));
  const to = parse(String(after));
  if (!from || !to) return true;
  return kind === "raising" ? compare(to, from) > 0 : compare(to, from) < 0;
}
