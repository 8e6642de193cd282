import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";

import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";
import { OrdersTable } from "@/features/account/OrdersTable";
import { Author } from "@/session/Author";

import { ExplanationPanel } from "./ExplanationPanel";
import { IdeaPanel } from "./IdeaPanel";
import { MovesTable } from "./MovesTable";
import { assessment, explanation, ordersOfTrade, slippage, story, trade } from "./queries";
import { SizeAndVerdict } from "./SizeAndVerdict";
import { SlippageTable } from "./SlippageTable";
import { StopControl } from "./StopControl";
import { Timeline } from "./Timeline";
import { TradeFacts } from "./TradeFacts";

const TradeChart = lazy(() => import("./TradeChart"));

/** The whole story of one trade. */
export function TradePage() {
  const { account, number: text } = useParams({ from: "/accounts/$account/trades/$number" });
  const number = Number(text);
  const found = useQuery(trade(account, number));
  const orders = useQuery(ordersOfTrade(account, number));
  const assessed = useQuery(assessment(account, number));
  const told = useQuery(story(account, number));
  const explained = useQuery(explanation(account, number));
  const slipped = useQuery(slippage(account, number));
  const [wanted, setWanted] = useState("");
  const open = found.data !== undefined && found.data.phase !== "settled" && found.data.bought !== found.data.sold;
  return (
    <AccountFrame account={account} title={`Trade ${text} of ${account}`}>
      {(figures) => (
        <QueryState query={found} what="the trade">
          {(row) => (
            <>
              <section className="panel">
                <h2>{row.symbol} <small>market time{told.data ? `, bars of ${told.data.bar_minutes} min` : ""}</small></h2>
                <QueryState query={told} what="the bars">
                  {(data) => (
                    <Suspense fallback={<p className="page-note">Drawing …</p>}>
                      <TradeChart
                        candles={data.candles}
                        executions={data.executions}
                        entry={row.average_entry_price}
                        stop={row.stop_price}
                        target={row.take_profit_price}
                        levels={data.levels}
                        wanted={wanted || undefined}
                        onStopDragged={open ? setWanted : undefined}
                      />
                    </Suspense>
                  )}
                </QueryState>
              </section>
              <div className="columns">
                <TradeFacts trade={row} />
                {open ? <StopControl account={account} mode={figures.mode} trade={row} wanted={wanted} onWanted={setWanted} /> : null}
                {told.data ? <IdeaPanel idea={told.data.idea} source={row.source} /> : null}
                {told.data?.idea ? <QueryState query={explained} what="what a model made of it" lasting>{(one) => <ExplanationPanel explanation={one} />}</QueryState> : null}
                <QueryState query={assessed} what="what the size was decided by" lasting>{(one) => <SizeAndVerdict assessment={one} />}</QueryState>
              </div>
              {told.data ? <MovesTable levels={told.data.levels} /> : null}
              <QueryState query={orders} what="the orders">
                {(rows) => (
                  <>
                    <Timeline orders={rows} executions={told.data?.executions ?? []} />
                    <OrdersTable account={account} orders={rows} caption="Orders" empty="No order was intended." />
                  </>
                )}
              </QueryState>
              <QueryState query={slipped} what="the slippage">{(rows) => <SlippageTable fills={rows} />}</QueryState>
              <QueryState query={told} what="the audit">
                {(data) => (
                  <Rows
                    caption="Audit"
                    rows={data.audit}
                    keyOf={(one) => String(one.sequence)}
                    empty="Nothing is recorded of this trade."
                    note={<p className="panel-note">Its workflow <a href={data.workflow_url} target="_blank" rel="noreferrer">{data.workflow}</a> in Temporal's web UI (password: <code>aether admin temporal-password</code>).</p>}
                    columns={[
                      { name: "At", cell: (one) => <Moment at={one.recorded_at} /> },
                      { name: "By", cell: (one) => <Author id={one.actor} /> },
                      { name: "Action", cell: (one) => <code>{one.action}</code> },
                      { name: "Details", cell: (one) => Object.entries(one.details).map(([name, value]) => `${name} ${String(value)}`).join(", ") },
                    ]}
                  />
                )}
              </QueryState>
            </>
          )}
        </QueryState>
      )}
    </AccountFrame>
  );
}
