import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandForm } from "@/components/CommandForm";
import { Figure } from "@/components/Figure";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { trades } from "@/features/account/queries";
import { controlRoom } from "@/features/overview/queries";
import { compare, divide, formatDecimal, parse, subtract } from "@/format/decimal";
import { useNow } from "@/live/now";

import type { OpenTrade, TradePreview } from "./ManualTradePage";

type Answered = components["schemas"]["Answered"];

/** From this estimated slippage on CONFIRM has to be typed; no setting takes it away. */
export const SLIPPAGE_TO_CONFIRM = "0.03";
export const PREVIEW_SECONDS = 30;
const PRICE_TOLERANCE = "0.002";

export interface ConfirmTradeProps {
  readonly account: string;
  readonly mode: string;
  readonly body: OpenTrade;
  readonly preview: TradePreview;
  /** The preview held no more when the trade was sent: what it would come to now. */
  readonly onExpired: (preview: TradePreview) => void;
}

/** What a trade comes to, and ordering exactly that. */
export function ConfirmTrade({ account, mode, body, preview, onExpired }: ConfirmTradeProps) {
  const [typedName, setTypedName] = useState("");
  const [typedConfirm, setTypedConfirm] = useState("");
  const known = useQuery(trades(account));
  const room = useQuery(controlRoom);
  const now = useNow();
  const live = mode === "live";
  const slips = preview.slippage_share !== null && atLeast(preview.slippage_share, SLIPPAGE_TO_CONFIRM);
  const ask = room.data?.market.symbols.find((line) => line.symbol === preview.symbol)?.ask;
  const moved = ask !== undefined && hasMoved(preview.seen.price, ask);
  const old = now - new Date(preview.at).getTime() > PREVIEW_SECONDS * 1000;
  const expired = moved ? `the price has moved to ${formatDecimal(ask ?? "")}` : old ? `it is older than ${PREVIEW_SECONDS} s` : undefined;
  const command = useCommand<Answered>({
    form: `trade/${account}/${preview.at}`,
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/accounts/{account}/trades", {
          params: { path: { account }, header: { "Idempotency-Key": key } },
          body: { ...body, quantity: preview.quantity, seen: preview.seen },
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => answer.approval !== null || (known.data?.some((row) => row.number === answer.trade) ?? false),
  });
  const fresh = command.problem?.code === "preview-expired" ? (command.problem.extra.preview as TradePreview | undefined) : undefined;
  const amount = `${formatDecimal(preview.quantity)} ${preview.symbol} for ${formatDecimal(preview.value, { decimals: 2 })} USD`;
  const begun = command.step !== "idle";
  const refused = preview.checks.filter((check) => !check.passed);
  return (
    <section className="panel stack" aria-label="Preview">
      <h2>{preview.allowed ? (preview.waits ? "Waits for another person" : "Can be ordered") : "Would be refused"}</h2>
      {preview.allowed ? null : <p className="warn">⚠ {refused.map((check) => check.reason).join("; ") || "no rule says why"}</p>}
      {preview.allowed ? (
        <dl className="facts wide-facts">
          <div><dt>Quantity</dt><dd><Figure value={preview.quantity} kind="quantity" /> {preview.symbol.split("/")[0]}{preview.binding ? <small> ({preview.binding.replaceAll("_", " ")} binds)</small> : null}</dd></div>
          <div><dt>Price at most</dt><dd><Figure value={preview.price} kind="price" unit="USD" /></dd></div>
          <div><dt>Value with fee</dt><dd><Figure value={preview.value} kind="money" unit="USD" /></dd></div>
          <div><dt>Loss at the stop</dt><dd><Figure value={preview.loss} kind="money" unit="USD" /></dd></div>
          <div><dt>Cost of the round trip</dt><dd><Figure value={preview.costs?.total} kind="share" decimals={3} unknown="not computed" /></dd></div>
          <div><dt>Estimated slippage</dt><dd><Figure value={preview.slippage_share} kind="share" decimals={3} unknown="no book seen" /></dd></div>
        </dl>
      ) : null}
      <table className="table">
        <caption>Limits after it</caption>
        <thead>
          <tr><th scope="col">Rule</th><th scope="col" className="number">After it</th><th scope="col" className="number">Limit</th></tr>
        </thead>
        <tbody>
          {[...refused, ...preview.checks.filter((check) => check.limit !== null && check.passed)].map((check, place) => (
            <tr key={`${check.rule}${check.code}${place}`} className={check.passed ? "" : "row-alarm"}>
              <th scope="row">{check.passed ? "" : "⚠ "}<small>{check.reason}</small></th>
              <td className="number"><Figure value={check.figure} decimals={decimalsOf(check.limit)} unknown="none" /></td>
              <td className="number"><Figure value={check.limit} decimals={decimalsOf(check.limit)} unknown="none" /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {expired && !begun ? <p className="banner banner-warn" role="status">⚠ This preview holds no more: {expired}. Show it anew.</p> : null}
      {preview.allowed ? (
        <CommandForm
          command={command}
          danger={live}
          action={`${live ? `LIVE, real money of ${account}: buy` : `Buy for ${account} (simulated):`} ${amount}`}
          recorded={command.answer?.approval ? "It waits for another person: see Approvals." : "The trade is in the record."}
          refusedEffect="Nothing was ordered."
          ready={(expired === undefined || begun) && (!live || isConfirmed(account, typedName)) && (!slips || isConfirmed("CONFIRM", typedConfirm))}
        >
          {live ? <TypedConfirmation word={account} why={`This buys ${amount} with real money.`} value={typedName} onValue={setTypedName} /> : null}
          {slips ? <TypedConfirmation word="CONFIRM" why="The estimated slippage is 3 % or more." value={typedConfirm} onValue={setTypedConfirm} /> : null}
        </CommandForm>
      ) : null}
      {fresh ? (
        <div className="stack">
          <h3>What has changed</h3>
          <table className="table">
            <thead><tr><th scope="col" /><th scope="col" className="number">Shown</th><th scope="col" className="number">Now</th></tr></thead>
            <tbody>
              {(["price", "quantity", "value", "loss"] as const).map((name) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td className="number"><Figure value={preview[name]} /></td>
                  <td className="number"><Figure value={fresh[name]} /></td>
                </tr>
              ))}
            </tbody>
          </table>
          <Button kind="primary" onPress={() => onExpired(fresh)}>Go on with the new preview</Button>
        </div>
      ) : null}
      {command.answer?.trade ? (
        <p>
          <Link to="/accounts/$account/trades/$number" params={{ account, number: String(command.answer.trade) }}>Trade {command.answer.trade}</Link>
        </p>
      ) : null}
    </section>
  );
}

function atLeast(value: string, bound: string): boolean {
  const a = parse(value);
  const b = parse(bound);
  return a !== undefined && b !== undefined && compare(a, b) >= 0;
}

/** Whether a price has left the range in which the API still takes the preview. */
export function hasMoved(then: string, now: string): boolean {
  const a = parse(then);
  const b = parse(now);
  const tolerance = parse(PRICE_TOLERANCE);
  const share = a && b ? divide(subtract(b, a), a, 9) : undefined;
  if (!share || !tolerance) return true;
  const magnitude = share.units < 0n ? { ...share, units: -share.units } : share;
  return compare(magnitude, tolerance) > 0;
}

/** Counts whole, money with cents, shares and small quantities with what tells them apart. */
function decimalsOf(limit: string | null | undefined): number {
  const whole = /^(\d+)(?:\.(\d+))?$/.exec(limit ?? "");
  const digits = whole?.[1]?.replace(/^0+/, "").length ?? 0;
  if (digits === 0) return 4;
  return digits <= 2 && !/[1-9]/.test(whole?.[2] ?? "") ? 0 : 2;
}
