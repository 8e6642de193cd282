import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { brought, client } from "@/api/client";
import { Page } from "@/app/Page";
import { CommandForm } from "@/components/CommandForm";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { useCommand } from "@/commands/useCommand";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

import { asked } from "./BacktestsPage";
import { BacktestState } from "./BacktestState";
import { backtest, type BacktestResult, isUnderWay } from "./queries";

const BacktestCurve = lazy(() => import("./BacktestCurve"));

/** One backtest: how far it is, and what each strategy came to. */
export function BacktestPage() {
  const { run } = useParams({ from: "/backtests/$run" });
  const found = useQuery(backtest(run));
  return (
    <Page title="Backtest">
      <p className="crumb"><Link to="/backtests">All backtests</Link></p>
      <QueryState query={found} what="the backtest">
        {(data) => (
          <>
            <section className="panel stack">
              <h2>{data.asked.strategies.join(", ").replaceAll("_", " ")}</h2>
              <BacktestState backtest={data} />
              <dl className="facts wide-facts">
                <div><dt>Candles</dt><dd>{asked(data)}</dd></div>
                <div><dt>Asked</dt><dd><Author id={data.requested_by} />, <Moment at={data.requested_at} /></dd></div>
                <div><dt>Ended</dt><dd><Moment at={data.ended_at} unknown={isUnderWay(data) ? "under way" : "not known"} /></dd></div>
                <div><dt>Capital</dt><dd><Figure value={String(data.asked.capital)} kind="money" unit="USD" /></dd></div>
                <div><dt>Trades made by</dt><dd>{data.asked.engine === "reference" ? "the platform's own decisions" : "the fast engine"}</dd></div>
                {data.asked.sweep.length > 0 ? <div><dt>Parameters tried</dt><dd>{data.asked.sweep.join("; ")}</dd></div> : null}
                <div><dt>Slippage</dt><dd><Figure value={String(data.asked.slippage)} kind="share" decimals={3} /></dd></div>
              </dl>
              {data.state === "finished" ? (
                <p className="row">
                  <a className="button" href={`/api/v1/backtests/${data.run_id}/page`} download>Report as one HTML page</a>
                </p>
              ) : null}
              {isUnderWay(data) ? (
                <Guarded right="backtest.run">
                  <CancelBacktest run={data.run_id} ended={!isUnderWay(data)} />
                </Guarded>
              ) : null}
            </section>
            <WalkForwards results={data.results} />
            {data.results.map((result) => <ResultPanel key={result.number} result={result} />)}
          </>
        )}
      </QueryState>
    </Page>
  );
}

/** What choosing among the parameters by the past would have come to, once for each strategy and its bars. */
export function WalkForwards({ results }: { readonly results: readonly BacktestResult[] }) {
  const rows = new Map<string, { readonly name: string; readonly walk: NonNullable<BacktestResult["walk_forward"]> }>();
  for (const one of results) {
    const name = `${one.strategy.split("[")[0]}: ${one.label}`;
    if (one.walk_forward) rows.set(name, { name, walk: one.walk_forward });
  }
  if (rows.size === 0) return null;
  return (
    <Rows
      caption="Walk-forward: each fold holds to what had been best until then"
      rows={[...rows.values()]}
      keyOf={(row) => row.name}
      empty="None."
      columns={[
        { name: "Strategy", cell: (row) => row.name.replaceAll("_", " ") },
        { name: "Gain", number: true, cell: ({ walk }) => <Figure value={walk.total} kind="share" signed unknown={walk.reason || "not known"} /> },
        { name: "Days", number: true, cell: ({ walk }) => <Figure value={walk.days === null ? null : String(walk.days)} decimals={0} unknown={walk.reason || "not known"} /> },
        { name: "Sharpe ratio", number: true, cell: ({ walk }) => <Figure value={walk.sharpe} decimals={2} signed unknown={walk.reason || "not known"} /> },
        { name: "Best afterwards", number: true, cell: ({ walk }) => <Figure value={walk.best_afterwards} decimals={2} signed unknown={walk.reason || "not known"} /> },
        { name: "Deepest fall", number: true, cell: ({ walk }) => <Figure value={walk.drawdown} kind="share" unknown={walk.reason || "not known"} /> },
        { name: "Chosen", cell: ({ walk }) => walk.chosen.join(", ") || walk.reason },
      ]}
    />
  );
}

function CancelBacktest({ run, ended }: { readonly run: string; readonly ended: boolean }) {
  const command = useCommand({
    form: `cancel-backtest/${run}`,
    send: (key, signal) => brought(client.POST("/api/v1/backtests/{run_id}/cancel", { params: { path: { run_id: run }, header: { "Idempotency-Key": key } }, signal }), key),
    isRecorded: () => ended,
  });
  return <CommandForm command={command} action="Cancel this backtest" recorded="Cancelled." ready refusedEffect="None: a backtest touches no trading." />;
}

/** Figures of a result: name, words, how it is shown. */
export const FIGURES: readonly [string, string, "share" | "number"][] = [
  ["total", "Gain, net", "share"],
  ["yearly", "A year", "share"],
  ["sharpe", "Sharpe ratio", "number"],
  ["volatility", "Volatility a year", "share"],
  ["drawdown", "Deepest fall", "share"],
  ["exposure", "Held on average", "share"],
  ["turnover", "Turnover a year", "number"],
  ["fees", "Fees of the capital", "share"],
  ["yearly_cost", "Fees a year", "share"],
  ["trades", "Trades", "number"],
  ["won", "Trades won", "share"],
];
const SIGNED = new Set(["total", "yearly", "sharpe"]);

function ResultPanel({ result }: { readonly result: BacktestResult }) {
  const { figures, holding, intervals } = result;
  const sharpe = intervals.sharpe ?? [];
  return (
    <>
      <section className="panel">
        <h2>{result.strategy.replaceAll("_", " ")}: {result.label}</h2>
        <div className="columns">
          <dl className="facts">
            {FIGURES.map(([name, words, kind]) => (
              <div key={name}><dt>{words}</dt><dd><Figure value={figures[name]} kind={kind} signed={SIGNED.has(name)} decimals={name === "trades" ? 0 : 2} unknown="too few bars to tell" /></dd></div>
            ))}
          </dl>
          <dl className="facts">
            <div><dt>Holding the same pairs</dt><dd><Figure value={holding.total} kind="share" signed unknown="not known" /></dd></div>
            <div><dt>Holding: Sharpe ratio</dt><dd><Figure value={holding.sharpe} decimals={2} signed unknown="not known" /></dd></div>
            <div><dt>Holding: deepest fall</dt><dd><Figure value={holding.drawdown} kind="share" unknown="not known" /></dd></div>
            <div><dt>Sharpe ratio, 90 % of samples</dt><dd><Figure value={sharpe[0]} decimals={2} unknown="too few bars" /> to <Figure value={sharpe[1]} decimals={2} unknown="too few bars" /></dd></div>
            <div><dt>Samples not better than holding</dt><dd><Figure value={figures.behind_holding} kind="share" unknown="too few bars" /></dd></div>
            <div><dt>Bars that could be read two ways</dt><dd><Figure value={figures.ambiguous_share} kind="share" /></dd></div>
            <div><dt>Gain if those were for us</dt><dd><Figure value={figures.total_if_ambiguous_for_us} kind="share" signed /></dd></div>
          </dl>
        </div>
        <Suspense fallback={<p className="page-note">Drawing …</p>}>
          <BacktestCurve points={result.curve} label={`${result.strategy} on ${result.label}`} />
        </Suspense>
        <details>
          <summary>What belongs beside these figures</summary>
          <ul>{result.notes.map((note) => <li key={note}>{note}</li>)}</ul>
        </details>
      </section>
      <Rows
        caption={`Trades of ${result.strategy.replaceAll("_", " ")}: ${result.trades.length} of ${result.trades_total}`}
        rows={[...result.trades].reverse()}
        most={10}
        keyOf={(row) => `${row.symbol} ${row.bought_at} ${row.sold_at} ${row.cost}`}
        empty="It made no trade."
        columns={[
          { name: "Pair", cell: (row) => <strong>{row.symbol}</strong> },
          { name: "Bought", cell: (row) => <Moment at={row.bought_at} market /> },
          { name: "Sold", cell: (row) => <Moment at={row.sold_at} market /> },
          { name: "Entry", number: true, cell: (row) => <Figure value={row.entry_price} kind="price" /> },
          { name: "Exit", number: true, cell: (row) => <Figure value={row.exit_price} kind="price" /> },
          { name: "Fees USD", number: true, cell: (row) => <Figure value={row.fees} kind="money" /> },
          { name: "Profit USD", number: true, cell: (row) => <Figure value={row.profit} kind="money" signed /> },
          { name: "Gain", number: true, cell: (row) => <Figure value={row.gain} kind="share" signed /> },
          { name: "Left by", cell: (row) => row.left.replaceAll("_", " ") },
        ]}
      />
    </>
  );
}
