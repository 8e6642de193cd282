import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";

import { ChampionPanel } from "./ChampionPanel";
import { ModelsTable, PredictionsTable } from "./ModelTables";
import { TrainingPanel } from "./TrainingPanel";

type Strategy = components["schemas"]["StrategyView"];

const strategies = queryOptions({
  queryKey: ["strategies"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/strategies", { signal })),
});
const trials = queryOptions({
  queryKey: ["learning", "trials"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/learning/trials", { params: { query: { limit: 200 } }, signal })),
});

/** What accounts follow, what it has earned so far, and which learned model may judge it. */
export function StrategiesPage() {
  const all = useQuery(strategies);
  const ledger = useQuery(trials);
  return (
    <Page title="Strategies and models">
      <QueryState query={all} what="the strategies">
        {(rows) => (
          <Rows
            caption="Strategies"
            rows={rows}
            keyOf={(row) => row.name}
            empty="There is no strategy."
            note={<p className="panel-note">Evidence is what closed trades came to after all costs. One source counts alone, the most real first: live, shadow, simulation, backtest. <Link to="/backtests">Try strategies on recorded candles</Link>.</p>}
            columns={[
              { name: "Strategy", cell: (row) => <strong>{row.name.replaceAll("_", " ")}</strong> },
              { name: "Standing", cell: (row) => <Standing strategy={row} /> },
              { name: "Decides on", cell: (row) => (row.interval_minutes === null ? "the market's bars" : bars(row.interval_minutes)) },
              { name: "Followed by", cell: (row) => (row.followed_by.length > 0 ? row.followed_by.map((name, place) => <span key={name}>{place > 0 ? ", " : ""}<Link to="/accounts/$account" params={{ account: name }}>{name}</Link></span>) : "nobody") },
              { name: "Evidence", cell: (row) => <EvidenceList strategy={row} /> },
            ]}
          />
        )}
      </QueryState>
      <div className="columns">
        <ChampionPanel />
        <TrainingPanel />
      </div>
      <ModelsTable />
      <PredictionsTable />
      <QueryState query={ledger} what="the ledger of trials">
        {(rows) => (
          <Rows
            caption="Ledger of trials"
            rows={rows}
            most={20}
            keyOf={(row) => `${row.data_hash} ${row.question} ${row.trial}`}
            empty="No trial was ever run."
            note={<p className="panel-note">Every trial that was ever run counts against the next one: the more were tried, the better the best must be.</p>}
            columns={[
              { name: "Trial", cell: (row) => <code>{row.trial}</code> },
              { name: "Training", cell: (row) => <code>{row.run_id.slice(0, 8)}</code> },
              { name: "Sharpe ratio a year", number: true, cell: (row) => <Figure value={row.sharpe === null ? null : String(row.sharpe)} decimals={2} signed unknown="it took no trade" /> },
              { name: "Took s", number: true, cell: (row) => <Figure value={String(row.seconds)} decimals={1} /> },
              { name: "Finished", cell: (row) => <Moment at={row.finished_at} /> },
            ]}
          />
        )}
      </QueryState>
    </Page>
  );
}

function bars(minutes: number): string {
  if (minutes % 1440 === 0) return minutes === 1440 ? "days" : `${minutes / 1440} days`;
  return minutes % 60 === 0 ? (minutes === 60 ? "hours" : `${minutes / 60} hours`) : `${minutes} minutes`;
}

function Standing({ strategy }: { readonly strategy: Strategy }) {
  const tone = strategy.standing === "shipped" ? "good" : strategy.standing === "shadow" ? "quiet" : "warn";
  return <span className={`badge badge-${tone}`}>{strategy.standing}</span>;
}

function EvidenceList({ strategy }: { readonly strategy: Strategy }) {
  if (strategy.evidence.length === 0) return <span className="figure-unknown">– <small className="reason">no trade of it has closed</small></span>;
  return (
    <ul className="states">
      {strategy.evidence.map((one) => (
        <li key={`${one.version} ${one.source}`}>
          {one.source}: <Figure value={one.mean_net} kind="share" signed decimals={3} /> a trade, {one.results} {one.results === 1 ? "result" : "results"}
          <small>{one.version === strategy.version ? "" : ` (version ${one.version})`} last <Moment at={one.newest_at} market /></small>
        </li>
      ))}
    </ul>
  );
}
