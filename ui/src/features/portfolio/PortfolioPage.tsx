import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { Figure } from "@/components/Figure";
import { ModeBadge } from "@/components/ModeBadge";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { controlRoom } from "@/features/overview/queries";

import { portfolios } from "./queries";
import { heldTogether } from "./together";

const ReturnCurve = lazy(() => import("@/features/account/ReturnCurve"));

type Portfolio = components["schemas"]["Portfolio"];

/** What all accounts that one may see hold together, live and simulated money apart. */
export function PortfolioPage() {
  const found = useQuery(portfolios);
  const room = useQuery(controlRoom);
  const stale = room.data?.prices_unknown;
  return (
    <Page title="Portfolio">
      <QueryState query={found} what="the portfolios" priced>
        {(data) => {
          const modes = Object.keys(data.by_mode).sort();
          if (modes.length === 0) return <p className="panel-note">There is no account that you may see.</p>;
          return modes.map((mode) => {
            const total = data.by_mode[mode];
            const accounts = Object.fromEntries(Object.entries(data.accounts).filter(([name]) => data.modes[name] === mode));
            return total ? <OfMode key={mode} mode={mode} total={total} accounts={accounts} stale={stale} /> : null;
          });
        }}
      </QueryState>
    </Page>
  );
}

export interface OfModeProps {
  readonly mode: string;
  readonly total: Portfolio;
  readonly accounts: Readonly<Record<string, Portfolio>>;
  /** Why figures at the last prices cannot be believed, where that is so. */
  readonly stale?: string | null | undefined;
}

/** The accounts of one mode: worth and exposure together, by asset and by account. */
export function OfMode({ mode, total, accounts, stale }: OfModeProps) {
  const names = Object.keys(accounts);
  const money = mode === "live" ? "Live money" : "Simulated money";
  return (
    <>
      <Panel stack title={`${money}: ${names.length === 1 ? "one account" : `${names.length} accounts`}`}>
        <p><ModeBadge mode={mode} /> <small>at {total.valued_at}, prices of <Moment at={total.at} market unknown="no price yet" /></small></p>
        <dl className="facts wide-facts">
          <div><dt>Value</dt><dd><Figure value={total.nav} kind="money" unit="USD" stale={stale} /></dd></div>
          <div><dt>In USD</dt><dd><Figure value={total.cash} kind="money" unit="USD" /></dd></div>
          <div><dt>Exposed</dt><dd><Figure value={total.exposure} kind="money" unit="USD" stale={stale} /></dd></div>
          <div><dt>Exposed, of the value</dt><dd><Figure value={total.exposure_share} kind="share" unknown="nothing is there" stale={stale} /></dd></div>
        </dl>
        {total.unpriced.length > 0 ? <p className="warn">⚠ without {total.unpriced.join(", ")}: no price here</p> : null}
        <Suspense fallback={<p className="page-note">Drawing …</p>}>
          <ReturnCurve points={total.points} returnShare={total.return_share} since={total.since} />
        </Suspense>
      </Panel>
      <Rows
        caption={`Exposure by asset (${mode})`}
        rows={heldTogether(total, accounts)}
        keyOf={(row) => row.holding.asset}
        empty="Nothing is held."
        columns={[
          { name: "Asset", cell: (row) => <strong>{row.holding.asset}</strong> },
          { name: "Quantity", number: true, cell: (row) => <Figure value={row.holding.quantity} kind="quantity" /> },
          { name: "Price USD", number: true, cell: (row) => <Figure value={row.holding.price} kind="price" unknown="no price" stale={stale} /> },
          { name: "Value USD", number: true, cell: (row) => <Figure value={row.holding.value} kind="money" unknown="no price" stale={stale} /> },
          { name: "Of all", number: true, cell: (row) => <Figure value={row.holding.share} kind="share" unknown="no price" stale={stale} /> },
          {
            name: "Held by, of its value",
            cell: (row) => row.by.map((part, place) => (
              <span key={part.account}>
                {place > 0 ? ", " : null}
                <Link to="/accounts/$account/capital" params={{ account: part.account }}>{part.account}</Link> <Figure value={part.holding.share} kind="share" unknown="no price" stale={stale} />
              </span>
            )),
          },
        ]}
      />
      <Rows
        caption={`By account (${mode})`}
        rows={Object.entries(accounts)}
        keyOf={([name]) => name}
        empty="There is none."
        columns={[
          { name: "Account", cell: ([name]) => <Link to="/accounts/$account" params={{ account: name }}>{name}</Link> },
          { name: "Value USD", number: true, cell: ([, one]) => <Figure value={one.nav} kind="money" stale={stale} /> },
          { name: "In USD", number: true, cell: ([, one]) => <Figure value={one.cash} kind="money" /> },
          { name: "Exposed", number: true, cell: ([, one]) => <Figure value={one.exposure_share} kind="share" unknown="nothing is there" stale={stale} /> },
          { name: "Return", number: true, cell: ([, one]) => <Figure value={one.return_share} kind="share" signed stale={stale} /> },
          { name: "Not counted", cell: ([, one]) => (one.unpriced.length > 0 ? `${one.unpriced.join(", ")}: no price` : "nothing") },
        ]}
      />
    </>
  );
}
