import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { QueryState } from "@/components/QueryState";
import { StandingSwitches } from "@/features/kill-switch/StandingSwitches";
import { controlRoom } from "@/features/overview/queries";

type AccountFigures = components["schemas"]["AccountFigures"];
type ControlRoom = components["schemas"]["ControlRoom"];

export interface AccountFrameProps {
  readonly account: string;
  readonly title?: string;
  readonly children: (figures: AccountFigures, room: ControlRoom) => ReactNode;
}

const TABS = [
  { to: "/accounts/$account", label: "Positions and trades" },
  { to: "/accounts/$account/trade", label: "Trade by hand" },
  { to: "/accounts/$account/hedge", label: "Hedge" },
  { to: "/accounts/$account/capital", label: "Capital and days" },
  { to: "/accounts/$account/limits", label: "Limits" },
  { to: "/accounts/$account/lots", label: "Lots and gains" },
  { to: "/accounts/$account/stress", label: "Stress tests" },
  { to: "/accounts/$account/shadow", label: "Shadow" },
  { to: "/accounts/$account/reconciliation", label: "Reconciliation" },
  { to: "/accounts/$account/report", label: "Report" },
  { to: "/accounts/$account/mode", label: "Mode" },
  { to: "/accounts/$account/keys", label: "Keys" },
  { to: "/accounts/$account/settings", label: "Settings" },
] as const;

/** On a phone the tabs scroll sideways: the one that is open comes into sight. */
function showActive(nav: HTMLElement | null): void {
  const active = nav?.querySelector<HTMLElement>(".active");
  if (nav && active && nav.scrollWidth > nav.clientWidth) nav.scrollLeft = active.offsetLeft - nav.clientWidth / 3;
}

/** What every page of an account has: its mode, its name, and its other pages. */
export function AccountFrame({ account, title, children }: AccountFrameProps) {
  const room = useQuery(controlRoom);
  const figures = room.data?.accounts.find((one) => one.account === account);
  const mode = figures === undefined ? undefined : figures.mode === "live" ? "live" : "simulated";
  return (
    <Page title={title ?? account} account={account} mode={mode}>
      <nav className="tabs" aria-label={`Pages of ${account}`} ref={showActive}>
        {TABS.map((tab) => (
          <Link key={tab.to} to={tab.to} params={{ account }} activeOptions={{ exact: true }}>
            {tab.label}
          </Link>
        ))}
      </nav>
      <StandingSwitches account={account} />
      <QueryState query={room} what="the account" asOf={(data) => data.as_of}>
        {(data) => (figures ? children(figures, data) : <p role="alert">There is no account {account}.</p>)}
      </QueryState>
    </Page>
  );
}
