import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { QueryState } from "@/components/QueryState";
import { AccountCard } from "@/features/overview/AccountCard";
import { FIGURES_BUDGET_SECONDS } from "@/features/overview/OverviewPage";

import { AccountFrame } from "./AccountFrame";
import { HaltControl } from "./HaltControl";
import { OrdersTable } from "./OrdersTable";
import { PositionsTable } from "./PositionsTable";
import { openOrders, pagesOfTrades, portfolio, positions } from "./queries";
import { TradesTable } from "./TradesTable";

const ReturnCurve = lazy(() => import("./ReturnCurve"));

/** One account: figures, return, what it holds and how that is protected, orders and trades. */
export function AccountPage() {
  const { account } = useParams({ from: "/accounts/$account" });
  const held = useQuery(positions(account));
  const orders = useQuery(openOrders(account));
  const all = useInfiniteQuery(pagesOfTrades(account));
  const value = useQuery(portfolio(account));
  return (
    <AccountFrame account={account}>
      {(figures, room) => (
        <>
          <div className="account-head">
            <AccountCard account={figures} asOf={room.as_of} budgetSeconds={FIGURES_BUDGET_SECONDS} pricesUnknown={room.prices_unknown} />
            <section className="panel">
              <h2>Value and drawdown</h2>
              <QueryState query={value} what="the value over time" priced>
                {(data) => (
                  <Suspense fallback={<p className="page-note">Drawing …</p>}>
                    <ReturnCurve points={data.points} returnShare={data.return_share} since={data.since} />
                  </Suspense>
                )}
              </QueryState>
              <HaltControl account={figures} />
            </section>
          </div>
          <QueryState query={held} what="the positions" priced>
            {(rows) => (
              <QueryState query={all} what="the trades">
                {(found) => <PositionsTable positions={rows} trades={found} pricesUnknown={room.prices_unknown} />}
              </QueryState>
            )}
          </QueryState>
          <QueryState query={orders} what="the open orders">
            {(rows) => <OrdersTable account={account} orders={rows} caption="Open orders" empty="No order is open." />}
          </QueryState>
          <QueryState query={all} what="the trades">
            {(rows) => <TradesTable account={account} trades={rows} onOlder={all.hasNextPage && !all.isFetchingNextPage ? () => void all.fetchNextPage() : undefined} />}
          </QueryState>
        </>
      )}
    </AccountFrame>
  );
}
