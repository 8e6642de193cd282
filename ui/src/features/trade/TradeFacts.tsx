import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Source } from "@/components/Source";

export interface TradeFactsProps {
  readonly trade: components["schemas"]["Trade"];
}

/** What became of the entry, in words. */
const ENTRIES: Readonly<Record<string, string>> = {
  pending: "not yet",
  took: "took at once",
  rested: "rested until it was filled",
  crossed: "rested, then crossed the spread",
  missed: "bought nothing",
};

/** What a trade came to so far. */
export function TradeFacts({ trade }: TradeFactsProps) {
  return (
    <section className="panel">
      <h2>{trade.symbol}: {trade.phase}</h2>
      <dl className="facts">
        <div><dt>PnL</dt><dd><Figure value={trade.pnl} kind="money" unit="USD" signed unknown="open" /></dd></div>
        <div><dt>Bought</dt><dd><Figure value={trade.bought} kind="quantity" /> at <Figure value={trade.average_entry_price} kind="price" decimals={2} unknown="not filled" /></dd></div>
        <div><dt>Sold</dt><dd>{trade.average_exit_price === null ? "nothing yet" : <><Figure value={trade.sold} kind="quantity" /> at <Figure value={trade.average_exit_price} kind="price" decimals={2} /></>}</dd></div>
        <div><dt>Price when decided</dt><dd><Figure value={trade.reference_price} kind="price" /></dd></div>
        <div><dt>Stop</dt><dd><Figure value={trade.stop_price} kind="price" />{trade.trailed ? " (trailed)" : ""}</dd></div>
        <div><dt>Target</dt><dd><Figure value={trade.take_profit_price} kind="price" unknown="none" /></dd></div>
        <div><dt>Trailing distance</dt><dd><Figure value={trade.trailing_distance} kind="price" unknown="none" /></dd></div>
        <div><dt>Entry</dt><dd>{ENTRIES[trade.entry_result] ?? trade.entry_result.replaceAll("_", " ")}</dd></div>
        <div><dt>Rested as maker</dt><dd><Figure value={trade.maker_share} kind="share" unknown="nothing was measured" /></dd></div>
        <div><dt>Saved by resting</dt><dd><Figure value={trade.fees_saved} kind="money" unit="USD" /></dd></div>
        <div><dt>Fees</dt><dd><Figure value={trade.fees} kind="money" unit="USD" /></dd></div>
        <div><dt>Slippage</dt><dd><Figure value={trade.slippage} kind="money" unit="USD" /> <small>(above zero is worse)</small></dd></div>
        <div><dt>Unprotected</dt><dd>{trade.unprotected_since ? <strong className="alarm">⚠ now</strong> : <><Figure value={trade.unprotected_seconds} decimals={2} unit="s" /> in all</>}</dd></div>
        <div><dt>By</dt><dd><Source source={trade.source} /></dd></div>
        <div><dt>Why it ended</dt><dd>{trade.exit_reason?.replaceAll("_", " ") ?? "open"}</dd></div>
        <div><dt>Decided</dt><dd><Moment at={trade.decided_at} market /></dd></div>
        <div><dt>Opened</dt><dd><Moment at={trade.opened_at} market /></dd></div>
        <div><dt>Closed</dt><dd><Moment at={trade.closed_at} market unknown="open" /></dd></div>
      </dl>
      {trade.refusals.length > 0 ? (
        <details>
          <summary>{trade.refusals.length} refusals</summary>
          <ul>{trade.refusals.map((words) => <li key={words}>{words}</li>)}</ul>
        </details>
      ) : null}
    </section>
  );
}
