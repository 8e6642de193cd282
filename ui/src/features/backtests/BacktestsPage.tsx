import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Page } from "@/app/Page";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

import { BacktestState } from "./BacktestState";
import { CompareBacktests } from "./CompareBacktests";
import { type Backtest, backtests, choices, venueName } from "./queries";
import { StartBacktest } from "./StartBacktest";

/** Backtests: what would have happened, net of fees; started, watched and compared. */
export function BacktestsPage() {
  const all = useQuery(backtests);
  const possible = useQuery(choices);
  return (
    <Page title="Backtests">
      <QueryState query={possible} what="what can be tried">
        {(data) => (
          <section className="panel stack">
            <h2>Try strategies on recorded candles</h2>
            {data.missing ? <p className="panel-note" role="note">{data.missing}. The platform&apos;s own candles can be tried.</p> : null}
            <Guarded right="backtest.run">
              <StartBacktest choices={data} known={(all.data ?? []).map((one) => one.run_id)} />
            </Guarded>
          </section>
        )}
      </QueryState>
      <QueryState query={all} what="the backtests">
        {(rows) => (
          <>
            <Rows
              caption="Backtests"
              rows={rows}
              keyOf={(row) => row.run_id}
              empty="None was asked for yet."
              columns={[
                { name: "Strategies", cell: (row) => <Link to="/backtests/$run" params={{ run: row.run_id }}>{row.asked.strategies.join(", ").replaceAll("_", " ")}</Link> },
                { name: "Candles", cell: (row) => asked(row) },
                { name: "State", cell: (row) => <BacktestState backtest={row} /> },
                { name: "Asked by", cell: (row) => <Author id={row.requested_by} /> },
                { name: "At", cell: (row) => <Moment at={row.requested_at} /> },
              ]}
            />
            <CompareBacktests finished={rows.filter((row) => row.state === "finished")} />
          </>
        )}
      </QueryState>
    </Page>
  );
}

/** Venue, pairs and period in one line. */
export function asked({ asked: words }: Pick<Backtest, "asked">): string {
  const pairs = words.pairs.length > 0 ? words.pairs.join(", ") : "every pair";
  const from = words.begin ? ` from ${words.begin.slice(0, 10)}` : "";
  const to = words.end ? ` to ${words.end.slice(0, 10)}` : "";
  return `${venueName(words.venue)}: ${pairs}${words.together ? " together" : ""}${from}${to}`;
}
