/**
 * The components that a visual builder may place, with their inputs. A development entry loads it;
 * nothing of it is in the built pages. The types below hold each input to the component's own props.
 */

import type { ButtonProps } from "@/components/Button";
import type { FieldProps } from "@/components/Field";
import type { FigureProps } from "@/components/Figure";
import type { MeterProps } from "@/components/Meter";
import type { ModeBadgeProps } from "@/components/ModeBadge";
import type { MomentProps } from "@/components/Moment";
import type { StateBadgeProps } from "@/components/StateBadge";
import type { PageProps } from "@/app/Page";

type Kind<T> = [NonNullable<T>] extends [boolean] ? "boolean" : [NonNullable<T>] extends [string | number] ? "string" : "children" | "action";

interface Input<T> {
  readonly type: Kind<T>;
  readonly default?: T;
  readonly options?: readonly NonNullable<T>[];
  readonly help: string;
}

export interface Registered<Props> {
  readonly name: string;
  readonly module: string;
  /** Every prop that is needed is named; none that the component does not have can be. */
  readonly inputs: { readonly [Name in keyof Props]: Input<Props[Name]> };
}

const button: Registered<Pick<ButtonProps, "children" | "kind" | "disabled" | "busy">> = {
  name: "Button",
  module: "@/components/Button",
  inputs: {
    children: { type: "children", help: "Words of the button: what it does" },
    kind: { type: "string", default: "plain", options: ["primary", "danger", "plain", "quiet"], help: "How much it weighs" },
    disabled: { type: "boolean", default: false, help: "Cannot be pressed" },
    busy: { type: "boolean", default: false, help: "Work is under way" },
  },
};

const field: Registered<Pick<FieldProps, "label" | "value" | "onValue" | "hint" | "unit">> = {
  name: "Field",
  module: "@/components/Field",
  inputs: {
    label: { type: "string", default: "Reason", help: "What is asked for" },
    value: { type: "string", default: "", help: "What stands in it" },
    onValue: { type: "action", help: "Told of every change" },
    hint: { type: "string", default: "", help: "Below the input" },
    unit: { type: "string", default: "USD", help: "Beside the label" },
  },
};

const figure: Registered<Pick<FigureProps, "value" | "kind" | "unit" | "signed" | "unknown">> = {
  name: "Figure",
  module: "@/components/Figure",
  inputs: {
    value: { type: "string", default: "1234.50", help: "Decimal text; never a number" },
    kind: { type: "string", default: "money", options: ["money", "share", "quantity", "price", "number"], help: "How it is shown" },
    unit: { type: "string", default: "USD", help: "Behind the figure" },
    signed: { type: "boolean", default: false, help: "A change: sign, glyph and colour" },
    unknown: { type: "string", default: "no price", help: "Why it is not known" },
  },
};

const meter: Registered<Pick<MeterProps, "label" | "value" | "limit">> = {
  name: "Meter",
  module: "@/components/Meter",
  inputs: {
    label: { type: "string", default: "Exposure", help: "What is measured" },
    value: { type: "string", default: "0.4", help: "A share" },
    limit: { type: "string", default: "0.8", help: "The limit it is held to" },
  },
};

const moment: Registered<Pick<MomentProps, "at" | "market">> = {
  name: "Moment",
  module: "@/components/Moment",
  inputs: {
    at: { type: "string", default: "2026-11-28T12:00:00Z", help: "RFC 3339" },
    market: { type: "boolean", default: false, help: "Market time" },
  },
};

const mode: Registered<ModeBadgeProps> = {
  name: "ModeBadge",
  module: "@/components/ModeBadge",
  inputs: { mode: { type: "string", default: "simulated", help: "simulated or live" } },
};

const state: Registered<StateBadgeProps> = {
  name: "StateBadge",
  module: "@/components/StateBadge",
  inputs: { state: { type: "string", default: "trading", help: "trading, halted, no exchange" } },
};

const page: Registered<Pick<PageProps, "title" | "children">> = {
  name: "Page",
  module: "@/app/Page",
  inputs: {
    title: { type: "string", default: "Page", help: "Heading and title" },
    children: { type: "children", help: "What the page shows" },
  },
};

export const REGISTRY = [button, field, figure, meter, moment, mode, state, page] as const;
