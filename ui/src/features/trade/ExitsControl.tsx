import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { compare, parse, typedDecimal } from "@/format/decimal";
import { Guarded } from "@/session/Guarded";

type Trade = components["schemas"]["Trade"];
type Answered = components["schemas"]["Answered"];
type ChangeExits = components["schemas"]["ChangeExits"];

export interface ExitsControlProps {
  readonly account: string;
  readonly mode: string;
  readonly trade: Trade;
}

interface Change {
  readonly take_profit_price?: string;
  readonly trailing_distance?: string;
  readonly clear?: readonly ("take_profit_price" | "trailing_distance")[];
}

/** Target and trailing distance, set or taken away; what protects less waits for another person. */
export function ExitsControl({ account, mode, trade }: ExitsControlProps) {
  const [target, setTarget] = useState(trade.exits.take_profit_price ?? "");
  const [trailing, setTrailing] = useState(trade.exits.trailing_distance ?? "");
  const [typed, setTyped] = useState("");
  const change = changeOf(trade, target.trim(), trailing.trim());
  const live = mode === "live";
  const command = useCommand<Answered>({
    form: `exits/${account}/${trade.number}`,
    send: (key, signal) =>
      brought(
        client.PATCH("/api/v1/accounts/{account}/trades/{number}/exits", {
          params: { path: { account, number: trade.number }, header: { "Idempotency-Key": key } },
          body: change as ChangeExits,
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => Boolean(answer.approval) || (same(trade.exits.take_profit_price, target) && same(trade.exits.trailing_distance, trailing)),
  });
  const words = [
    ...(same(trade.exits.take_profit_price, target) ? [] : [target.trim() ? `target ${target.trim()}` : "no target"]),
    ...(same(trade.exits.trailing_distance, trailing) ? [] : [trailing.trim() ? `trailing by ${trailing.trim()}` : "not trailing"]),
  ];
  return (
    <details>
      <summary>Target and trailing</summary>
      <Guarded right="trade.protect" account={account}>
        <CommandForm
          command={command}
          danger={live}
          action={`${live ? "LIVE: change" : "Change"} the exits of ${account}'s trade ${trade.number}: ${words.join(", ") || "…"}`}
          recorded={command.answer?.approval ? "It protects less: another person approves it under Approvals." : "The exits are so."}
          ready={change !== undefined && words.length > 0 && (!live || isConfirmed(account, typed))}
        >
          <Field label="Target" unit="USD; empty: none" inputMode="decimal" value={target} onValue={setTarget} error={wrong(target)} />
          <Field label="Trailing distance" unit="USD; empty: not trailing" inputMode="decimal" value={trailing} onValue={setTrailing} error={wrong(trailing)} />
          {live ? <TypedConfirmation word={account} why="This changes how real money leaves the market." value={typed} onValue={setTyped} /> : null}
        </CommandForm>
      </Guarded>
    </details>
  );
}

/** What is sent: only what differs; undefined where something typed is no price. */
export function changeOf(trade: Trade, target: string, trailing: string): Change | undefined {
  if (wrong(target) || wrong(trailing)) return undefined;
  const targetStays = same(trade.exits.take_profit_price, target);
  const trailingStays = same(trade.exits.trailing_distance, trailing);
  const clear: ("take_profit_price" | "trailing_distance")[] = [...(targetStays || target ? [] : ["take_profit_price" as const]), ...(trailingStays || trailing ? [] : ["trailing_distance" as const])];
  return {
    ...(targetStays || !target ? {} : { take_profit_price: target }),
    ...(trailingStays || !trailing ? {} : { trailing_distance: trailing }),
    ...(clear.length > 0 ? { clear } : {}),
  };
}

function wrong(text: string): string | undefined {
  return text.trim() !== "" && typedDecimal(text) === undefined ? "A price with a decimal point, or nothing" : undefined;
}

function same(stands: string | null | undefined, typed: string): boolean {
  const before = stands ? parse(stands) : undefined;
  const wanted = typedDecimal(typed);
  if (!before || !wanted) return !before && typed.trim() === "";
  return compare(before, wanted) === 0;
}
