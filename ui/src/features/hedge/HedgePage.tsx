import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";
import { hedge, hedgeHistory } from "@/features/account/queries";
import { Author } from "@/session/Author";

import { HedgeOverride } from "./HedgeOverride";

type HedgeReview = components["schemas"]["HedgeReview"];

/** How much of the account stands in USD, why, and setting it by hand. */
export function HedgePage() {
  const { account } = useParams({ from: "/accounts/$account/hedge" });
  const now = useQuery(hedge(account));
  const history = useQuery(hedgeHistory(account));
  return (
    <AccountFrame account={account} title={`Hedge of ${account}`}>
      {(figures) => (
        <>
          <div className="columns">
            <QueryState query={now} what="the hedge">
              {(data) => (
                <section className="panel">
                  <h2>Now: {data.state}</h2>
                  {data.latest ? <Latest review={data.latest} /> : <p className="panel-note">The hedge has not been looked at yet.</p>}
                </section>
              )}
            </QueryState>
            <QueryState query={now} what="the hedge">
              {(data) => <HedgeOverride account={account} mode={figures.mode} hedge={data} />}
            </QueryState>
          </div>
          <QueryState query={history} what="the history of the hedge">
            {(rows) => <History rows={rows} />}
          </QueryState>
        </>
      )}
    </AccountFrame>
  );
}

function Latest({ review }: { readonly review: HedgeReview }) {
  return (
    <dl className="facts">
      <div><dt>In USD</dt><dd><Figure value={review.actual} kind="share" /></dd></div>
      <div><dt>Target</dt><dd><Figure value={review.target} kind="share" unknown="off" /></dd></div>
      <div><dt>Formula's target</dt><dd><Figure value={review.automatic_target} kind="share" unknown="not computed" /></dd></div>
      <div><dt>Daily volatility</dt><dd><Figure value={review.volatility} kind="share" unknown="not enough candles" /></dd></div>
      <div><dt>Drawdown</dt><dd><Figure value={review.drawdown} kind="share" /></dd></div>
      <div><dt>Profit of the hedge</dt><dd><Figure value={review.profit} kind="money" unit="USD" signed unknown="nothing hedged" /></dd></div>
      <div><dt>Fees</dt><dd><Figure value={review.fees} kind="money" unit="USD" /></dd></div>
      {review.override_share !== null ? (
        <div>
          <dt>By hand</dt>
          <dd>
            <Figure value={review.override_share} kind="share" /> by <Author id={review.override_author} />: {review.override_reason}
            <br />
            <small>until <Moment at={review.override_expires_at} market unknown="it is cleared" /></small>
          </dd>
        </div>
      ) : null}
      <div><dt>Looked at</dt><dd><Moment at={review.at} market /></dd></div>
      <div><dt>Why</dt><dd>{review.reason}</dd></div>
    </dl>
  );
}

function History({ rows }: { readonly rows: readonly HedgeReview[] }) {
  return (
    <Rows
      caption="History"
      rows={rows}
      keyOf={(row) => row.at + row.cause}
      empty="No review yet."
      columns={[
        { name: "At", cell: (row) => <Moment at={row.at} market /> },
        { name: "Cause", cell: (row) => row.cause },
        { name: "In USD", number: true, cell: (row) => <Figure value={row.actual} kind="share" /> },
        { name: "Target", number: true, cell: (row) => <Figure value={row.target} kind="share" unknown="off" /> },
        { name: "Move", cell: (row) => row.move ?? "none" },
        { name: "Value USD", number: true, cell: (row) => <Figure value={row.value} kind="money" /> },
        { name: "Reason", cell: (row) => row.reason },
      ]}
    />
  );
}
