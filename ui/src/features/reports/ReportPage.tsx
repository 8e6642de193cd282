import { queryOptions, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { Button } from "@/components/Button";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";

import { AskRecord } from "./AskRecord";
import { StoredReports } from "./StoredReports";

type Report = components["schemas"]["Report"];

const report = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "report"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/report", { params: { path: { account } }, signal })),
  });

/** A report is made when it is asked for: beyond this age its figures are struck out. */
export const REPORT_BUDGET_SECONDS = 900;

/** Daily profit, risk, performance, hedge and costs: to be read, printed, or taken along as CSV. */
export function ReportPage() {
  const { account } = useParams({ from: "/accounts/$account/report" });
  const made = useQuery(report(account));
  return (
    <AccountFrame account={account} title={`Report of ${account}`}>
      {() => (
        <QueryState query={made} what="the report" asOf={(data) => data.made_at} budgetSeconds={REPORT_BUDGET_SECONDS}>
          {(data) => (
            <>
              <p className="row no-print">
                <Button onPress={() => globalThis.print()}>Print</Button>
                <a className="button" href={`/api/v1/accounts/${encodeURIComponent(account)}/trades.csv`} download>
                  Trades as CSV
                </a>
                <Button kind="quiet" onPress={() => void made.refetch()}>Make it anew</Button>
              </p>
              <p className="panel-note">
                Made <Moment at={data.made_at} />; from <Moment at={data.performance.since} market /> to <Moment at={data.performance.until} market unknown="no price yet" />.
              </p>
              <div className="columns">
                <PerformancePanel report={data} />
                <RiskPanel report={data} />
              </div>
              <TradesTable report={data} />
              <CostsTable costs={data.costs} />
              <DaysTable report={data} />
              <StoredReports account={account} />
              <AskRecord account={account} />
            </>
          )}
        </QueryState>
      )}
    </AccountFrame>
  );
}

interface PartProps {
  readonly report: Report;
}

function PerformancePanel({ report: { performance, hedge } }: PartProps) {
  return (
    <section className="panel">
      <h2>Performance</h2>
      <dl className="facts">
        <div><dt>Return, net of flows</dt><dd><Figure value={performance.return_share} kind="share" signed /></dd></div>
        <div><dt>Closed days together</dt><dd><Figure value={performance.closed_days_share} kind="share" signed /></dd></div>
        <div><dt>Holding what was held</dt><dd><Figure value={performance.holding_share} kind="share" signed unknown="what was held, or a price of it, is not known" /></dd></div>
        <div><dt>Holding Bitcoin meanwhile</dt><dd><Figure value={performance.bitcoin_share} kind="share" signed unknown="no bar is that old" /></dd></div>
        <div><dt>Hedge: profit</dt><dd><Figure value={hedge?.profit} kind="money" unit="USD" signed unknown="nothing hedged" /></dd></div>
        <div><dt>Hedge: in USD</dt><dd><Figure value={hedge?.actual} kind="share" unknown="not reviewed" /></dd></div>
      </dl>
    </section>
  );
}

function RiskPanel({ report: { risk } }: PartProps) {
  const few = "fewer than two closed days";
  return (
    <section className="panel">
      <h2>Risk</h2>
      <dl className="facts">
        <div>
          <dt>Deepest fall</dt>
          <dd><Figure value={risk.deepest_fall?.share} kind="share" unknown="nothing was measured" />{risk.deepest_fall && risk.deepest_fall.share !== "0" ? <><br /><small>until <Moment at={risk.deepest_fall.lowest_at} market /></small></> : null}</dd>
        </div>
        <div><dt>Volatility of a day</dt><dd><Figure value={risk.daily_volatility} kind="share" unknown={few} /></dd></div>
        <div><dt>Volatility of a year</dt><dd><Figure value={risk.yearly_volatility} kind="share" unknown={few} /></dd></div>
        <div><dt>Worst day</dt><dd><Figure value={risk.worst?.share} kind="share" signed unknown="no closed day" /> {risk.worst ? <small>{risk.worst.day}</small> : null}</dd></div>
        <div><dt>Best day</dt><dd><Figure value={risk.best?.share} kind="share" signed unknown="no closed day" /> {risk.best ? <small>{risk.best.day}</small> : null}</dd></div>
        <div><dt>Losing days</dt><dd>{risk.losing_days} of {risk.days}</dd></div>
        <div><dt>Exposure now</dt><dd><Figure value={risk.exposure_share} kind="share" unknown="nothing is held" /></dd></div>
      </dl>
    </section>
  );
}

function TradesTable({ report: { costs } }: PartProps) {
  return (
    <Rows
      caption="Trades that ended: what they brought"
      rows={costs}
      keyOf={(row) => row.symbol}
      empty="No trade has ended."
      columns={[
        { name: "Pair", cell: (row) => <strong>{row.symbol}</strong> },
        { name: "Trades", number: true, cell: (row) => <Figure value={String(row.trades)} /> },
        { name: "Won", number: true, cell: (row) => <Figure value={row.won_share} kind="share" unknown="none" /> },
        { name: "Profit USD", number: true, cell: (row) => <Figure value={row.profit} kind="money" signed /> },
        { name: "Mean USD", number: true, cell: (row) => <Figure value={row.mean} kind="money" signed unknown="none" /> },
        { name: "Gains over losses", number: true, cell: (row) => <Figure value={row.profit_factor} decimals={2} unknown="no loss" /> },
      ]}
    />
  );
}

export interface CostsTableProps {
  readonly costs: Report["costs"];
}

/** What executing the trades cost, against the price at each decision. */
export function CostsTable({ costs }: CostsTableProps) {
  return (
    <Rows
      caption="What executing them cost"
      rows={costs}
      keyOf={(row) => row.symbol}
      empty="No trade has ended."
      note={<p className="panel-note">Spread: half of what was quoted at the decision, on what entries took; it is part of the slippage.</p>}
      columns={[
        { name: "Pair", cell: (row) => <strong>{row.symbol}</strong> },
        { name: "Traded USD", number: true, cell: (row) => <Figure value={row.turnover} kind="money" /> },
        { name: "Fees USD", number: true, cell: (row) => <Figure value={row.fees} kind="money" /> },
        { name: "Slippage USD", number: true, cell: (row) => <Figure value={row.slippage} kind="money" /> },
        { name: "Slippage bp", number: true, cell: (row) => <Figure value={row.slippage_points} decimals={2} unknown="none" /> },
        { name: "Spread USD", number: true, cell: (row) => <Figure value={row.spread} kind="money" unknown={`not known of ${row.spread_unknown} of ${row.trades}`} /> },
        { name: "Cost of turnover", number: true, cell: (row) => <Figure value={row.cost_share} kind="share" decimals={3} unknown="none" /> },
        { name: "Maker", number: true, cell: (row) => <Figure value={row.maker_share} kind="share" unknown="none" /> },
        { name: "Fees saved USD", number: true, cell: (row) => <Figure value={row.fees_saved} kind="money" /> },
      ]}
    />
  );
}

function DaysTable({ report: { days } }: PartProps) {
  return (
    <Rows
      caption="Days"
      rows={days}
      most={400}
      keyOf={(row) => row.day}
      empty="No day has been closed."
      columns={[
        { name: "Day", cell: (row) => <strong>{row.day}</strong> },
        { name: "Profit", number: true, cell: (row) => <Figure value={row.profit_share} kind="share" signed /> },
        { name: "Profit USD", number: true, cell: (row) => <Figure value={row.profit} kind="money" signed /> },
        { name: "Worst", number: true, cell: (row) => <Figure value={row.worst_share} kind="share" /> },
        { name: "Fees USD", number: true, cell: (row) => <Figure value={row.fees} kind="money" unknown="not measured" /> },
      ]}
    />
  );
}
