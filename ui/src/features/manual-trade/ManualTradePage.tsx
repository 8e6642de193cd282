import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import { Button } from "@/components/Button";
import { Choice, Radios } from "@/components/Choice";
import { Field } from "@/components/Field";
import { Figure } from "@/components/Figure";
import { ProblemNote } from "@/components/ProblemNote";
import { AccountFrame } from "@/features/account/AccountFrame";
import { controlRoom } from "@/features/overview/queries";
import { typedDecimal } from "@/format/decimal";
import { Guarded } from "@/session/Guarded";

import { ConfirmTrade } from "./ConfirmTrade";

export type TradePreview = components["schemas"]["TradePreview"];
export type OpenTrade = components["schemas"]["OpenTrade"];

/** A trade by hand: what it would come to is shown before it can be ordered. */
export function ManualTradePage() {
  const { account } = useParams({ from: "/accounts/$account/trade" });
  return (
    <AccountFrame account={account} title={`Trade by hand for ${account}`}>
      {(figures) => (
        <Guarded right="trade.open" account={account}>
          <ManualTrade account={account} mode={figures.mode} />
        </Guarded>
      )}
    </AccountFrame>
  );
}

export interface ManualTradeProps {
  readonly account: string;
  readonly mode: string;
}

export function ManualTrade({ account, mode }: ManualTradeProps) {
  const room = useQuery(controlRoom);
  const symbols = room.data?.market.symbols ?? [];
  const [symbol, setSymbol] = useState("BTC/USD");
  const [kind, setKind] = useState("market");
  const [stop, setStop] = useState("");
  const [target, setTarget] = useState("");
  const [limit, setLimit] = useState("");
  const [quantity, setQuantity] = useState("");
  const [preview, setPreview] = useState<{ readonly body: OpenTrade; readonly shown: TradePreview }>();
  const [problem, setProblem] = useState<Problem>();
  const [asking, setAsking] = useState(false);
  const wrong = (text: string, needed: boolean) =>
    text.trim() === "" ? needed : typedDecimal(text) === undefined;
  const error = (text: string) => (text && !typedDecimal(text) ? "A number with a decimal point, no grouping" : undefined);
  const ready = !wrong(stop, true) && !wrong(target, false) && !wrong(quantity, false) && !wrong(limit, kind === "limit");

  async function ask() {
    const body: OpenTrade = {
      symbol,
      order_type: kind as "market" | "limit",
      stop_price: stop.trim(),
      ...(target.trim() ? { take_profit_price: target.trim() } : {}),
      ...(kind === "limit" ? { limit_price: limit.trim() } : {}),
      ...(quantity.trim() ? { quantity: quantity.trim() } : {}),
    };
    setAsking(true);
    setProblem(undefined);
    try {
      const shown = await brought(client.POST("/api/v1/accounts/{account}/trades/preview", { params: { path: { account } }, body }));
      setPreview({ body, shown });
    } catch (found) {
      if (!(found instanceof Problem)) throw found;
      setProblem(found);
    } finally {
      setAsking(false);
    }
  }

  const last = symbols.find((line) => line.symbol === symbol);
  return (
    <div className="columns">
      <form
        className="panel stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !asking) void ask();
        }}
      >
        <h2>What</h2>
        <Choice label="Pair" value={symbol} onValue={setSymbol} options={symbols.map((line) => ({ value: line.symbol, label: line.symbol }))} />
        <p className="hint">Ask <Figure value={last?.ask} kind="price" unknown="no price" />, bid <Figure value={last?.bid} kind="price" unknown="no price" /></p>
        <Radios label="Order" value={kind} onValue={setKind} options={[{ value: "market", label: "At market" }, { value: "limit", label: "Limit" }]} />
        {kind === "limit" ? <Field label="Limit price" unit="USD" inputMode="decimal" value={limit} onValue={setLimit} error={error(limit)} required /> : null}
        <Field label="Stop" unit="USD" inputMode="decimal" value={stop} onValue={setStop} error={error(stop)} hint="every trade has one" required />
        <Field label="Target" unit="USD; empty: none" inputMode="decimal" value={target} onValue={setTarget} error={error(target)} />
        <Field label="Quantity" unit="base units; empty: sized by the account's rules" inputMode="decimal" value={quantity} onValue={setQuantity} error={error(quantity)} />
        <Button type="submit" kind={preview ? "plain" : "primary"} busy={asking} disabled={!ready}>
          {preview ? "Show anew" : "Show what it comes to"}
        </Button>
        {problem ? <ProblemNote problem={problem} effect="None: nothing was ordered." /> : null}
      </form>
      {preview ? (
        <ConfirmTrade
          key={`${preview.shown.at}`}
          account={account}
          mode={mode}
          body={preview.body}
          preview={preview.shown}
          onExpired={(shown) => setPreview({ body: preview.body, shown })}
        />
      ) : (
        <section className="panel">
          <h2>Preview</h2>
          <p className="panel-note">
            Size, cost, loss at the stop and every limit after the trade, decided by the account's own rules. Open trades: <Link to="/accounts/$account" params={{ account }}>{account}</Link>.
          </p>
        </section>
      )}
    </div>
  );
}
