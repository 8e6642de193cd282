import { useQuery } from "@tanstack/react-query";

import { Page } from "@/app/Page";
import { QueryState } from "@/components/QueryState";
import { StandingSwitches } from "@/features/kill-switch/StandingSwitches";

import { AccountCard } from "./AccountCard";
import { MarketTable } from "./MarketTable";
import { PlatformHealth } from "./PlatformHealth";
import { controlRoom } from "./queries";

export const FIGURES_BUDGET_SECONDS = 15;

/** Every account with its state, value and limits; exchange, feed and processes. */
export function OverviewPage() {
  const room = useQuery(controlRoom);
  const live = room.data?.accounts.some((account) => account.mode === "live") ?? false;
  return (
    <Page title="Overview" mode={live ? "live" : "simulated"}>
      <QueryState query={room} what="the overview" asOf={(data) => data.as_of}>
        {(data) => (
          <>
            <StandingSwitches />
            {data.prices_unknown ? <p className="banner banner-warn">⚠ {data.prices_unknown}: figures at these prices are struck out.</p> : null}
            <section className="cards" aria-label="Accounts">
              {data.accounts.map((account) => (
                <AccountCard
                  key={account.account}
                  account={account}
                  asOf={data.as_of}
                  budgetSeconds={FIGURES_BUDGET_SECONDS}
                  pricesUnknown={data.prices_unknown}
                />
              ))}
            </section>
            <div className="columns">
              <MarketTable market={data.market} />
              <PlatformHealth processes={data.processes} degradedModes={data.degraded_modes} followed={data.market_followed} />
            </div>
          </>
        )}
      </QueryState>
    </Page>
  );
}
