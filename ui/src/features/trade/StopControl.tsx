import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Figure } from "@/components/Figure";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { compare, multiply, parse, subtract, toText, typedDecimal } from "@/format/decimal";
import { Guarded } from "@/session/Guarded";

import { ExitsControl } from "./ExitsControl";

type Trade = components["schemas"]["Trade"];
type Answered = components["schemas"]["Answered"];

export interface StopControlProps {
  readonly account: string;
  readonly mode: string;
  readonly trade: Trade;
  readonly wanted: string;
  readonly onWanted: (price: string) => void;
}

/** Move the stop to where it was dragged or typed, after it was confirmed. */
export function StopControl({ account, mode, trade, wanted, onWanted }: StopControlProps) {
  const [typed, setTyped] = useState("");
  const price = typedDecimal(wanted);
  const held = parse(trade.bought) && parse(trade.sold) ? subtract(parse(trade.bought)!, parse(trade.sold)!) : undefined;
  const entry = trade.average_entry_price ? parse(trade.average_entry_price) : undefined;
  const outcome = price && held && entry ? toText(multiply(subtract(price, entry), held)) : undefined;
  const changed = price !== undefined && parse(trade.stop_price) !== undefined && compare(price, parse(trade.stop_price)!) !== 0;
  const live = mode === "live";
  const command = useCommand<Answered>({
    form: `stop/${account}/${trade.number}`,
    send: (key, signal) =>
      brought(
        client.PATCH("/api/v1/accounts/{account}/trades/{number}/stop", {
          params: { path: { account, number: trade.number }, header: { "Idempotency-Key": key } },
          body: { stop_price: wanted.trim() },
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => Boolean(answer.approval) || (price !== undefined && compare(parse(trade.stop_price) ?? { units: -1n, scale: 0 }, price) === 0),
  });
  const close = useCommand({
    form: `close/${account}/${trade.number}`,
    send: (key, signal) =>
      brought(client.POST("/api/v1/accounts/{account}/trades/{number}/close", { params: { path: { account, number: trade.number }, header: { "Idempotency-Key": key } }, signal }), key),
    isRecorded: () => trade.phase === "settled",
  });
  return (
    <section className="panel stack">
      <h2>Steer</h2>
      <Guarded right="trade.protect" account={account}>
        <CommandForm
          command={command}
          danger={live}
          action={`${live ? "LIVE: move" : "Move"} the stop of ${account}'s trade ${trade.number} to ${price ? wanted.trim() : "…"}`}
          recorded={command.answer?.approval ? "It protects less: another person approves it under Approvals." : "The stop stands there."}
          ready={changed && (!live || isConfirmed(account, typed))}
        >
          <Field label="New stop" unit="USD" inputMode="decimal" value={wanted} onValue={onWanted} hint="or drag the stop in the chart" error={wanted && !price ? "A price with a decimal point" : undefined} />
          {outcome && changed ? <p>If it is hit: <Figure value={outcome} kind="money" unit="USD" signed />, before fees and slippage.</p> : null}
          {live ? <TypedConfirmation word={account} why="This moves the protection of real money." value={typed} onValue={setTyped} /> : null}
        </CommandForm>
      </Guarded>
      <ExitsControl account={account} mode={mode} trade={trade} />
      <Guarded right="trade.close" account={account}>
        <CommandForm command={close} danger ready={!live || isConfirmed(account, typed)} action={`${live ? "LIVE: sell" : "Sell"} all of trade ${trade.number} of ${account} at market`} recorded="Closed." />
      </Guarded>
    </section>
  );
}
