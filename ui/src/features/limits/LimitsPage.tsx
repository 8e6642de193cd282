import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";

import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Meter } from "@/components/Meter";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { AccountFrame } from "@/features/account/AccountFrame";
import { limits } from "@/features/account/queries";

import { LiftDrawdown } from "./LiftDrawdown";

type Limit = components["schemas"]["LimitView"];

/** Every limit on losses and open risk, and how near the account is to it. */
export function LimitsPage() {
  const { account } = useParams({ from: "/accounts/$account/limits" });
  const found = useQuery(limits(account));
  return (
    <AccountFrame account={account} title={`Limits of ${account}`}>
      {(figures, room) => (
        <QueryState query={found} what="the limits" priced>
          {(rows) => (
            <>
              <LiftDrawdown account={figures} />
              {rows.length === 0 ? <p className="panel-note">Nothing was measured yet: the account has not traded.</p> : null}
              <p className="panel-note">Shares of equity. At the hard level no entry is taken; from the soft one on entries become smaller. <Link to="/accounts/$account/settings" params={{ account }}>Change them in the settings</Link>.</p>
              <LimitCards limits={rows} stale={room.prices_unknown} />
            </>
          )}
        </QueryState>
      )}
    </AccountFrame>
  );
}

/** What is not known comes first: there, too, entries are refused. */
export function nearestFirst(rows: readonly Limit[]): readonly Limit[] {
  const used = (row: Limit): number => (row.used === null ? Number.POSITIVE_INFINITY : Number(row.used));
  return [...rows].sort((a, b) => used(b) - used(a));
}

export interface LimitCardsProps {
  readonly limits: readonly Limit[];
  /** Why the prices that the shares rest on cannot be believed. */
  readonly stale?: string | null | undefined;
}

/** Each limit with how much of it is used, the nearest first. */
export function LimitCards({ limits: rows, stale }: LimitCardsProps) {
  return <div className="cards wide">{nearestFirst(rows).map((row) => <LimitCard key={`${row.name} ${row.subject}`} limit={row} stale={stale} />)}</div>;
}

function LimitCard({ limit, stale }: { readonly limit: Limit; readonly stale: string | null | undefined }) {
  const name = `${limit.name.replaceAll("_", " ")}${limit.subject ? ` of ${limit.subject.replaceAll("_", " ")}` : ""}`;
  return (
    <section className="card" aria-label={name}>
      <h2>{name}</h2>
      <Meter label="now" value={limit.share} limit={limit.hard} unknown="not known: entries are refused" stale={stale} />
      <dl className="facts">
        <div><dt>Soft level</dt><dd><Figure value={limit.soft} kind="share" unknown="there is none" /></dd></div>
        <div><dt>Used of the hard level</dt><dd><Figure value={limit.used} kind="share" unknown="not known" stale={stale} /></dd></div>
        <div><dt>Ends</dt><dd>{limit.resets}</dd></div>
        {limit.halted_at ? <div><dt>Reached</dt><dd className="alarm"><Moment at={limit.halted_at} market /></dd></div> : null}
      </dl>
      {limit.refuses ? <p className="card-why">▲ No entries while this stands.</p> : null}
    </section>
  );
}
