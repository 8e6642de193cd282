import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { OverviewPage } from "@/features/overview/OverviewPage";

import { NotFound } from "./NotFound";
import { PageFailed } from "./PageFailed";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const parent = { getParentRoute: () => root } as const;

export interface AuditSearch {
  readonly scope?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly correlation?: string | undefined;
  readonly words?: string | undefined;
  /** Days in UTC, as 2026-11-28. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const day = (value: unknown): string | undefined => (typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined);

const routes = [
  createRoute({ ...parent, path: "/", component: OverviewPage }),
  createRoute({ ...parent, path: "/alerts", component: lazyRouteComponent(() => import("@/features/alerts/AlertsPage"), "AlertsPage") }),
  createRoute({ ...parent, path: "/approvals", component: lazyRouteComponent(() => import("@/features/approvals/ApprovalsPage"), "ApprovalsPage") }),
  createRoute({ ...parent, path: "/portfolio", component: lazyRouteComponent(() => import("@/features/portfolio/PortfolioPage"), "PortfolioPage") }),
  createRoute({ ...parent, path: "/market", component: lazyRouteComponent(() => import("@/features/market/MarketPage"), "MarketPage") }),
  createRoute({ ...parent, path: "/universe", component: lazyRouteComponent(() => import("@/features/universe/UniversePage"), "UniversePage") }),
  createRoute({ ...parent, path: "/backtests", component: lazyRouteComponent(() => import("@/features/backtests/BacktestsPage"), "BacktestsPage") }),
  createRoute({ ...parent, path: "/backtests/$run", component: lazyRouteComponent(() => import("@/features/backtests/BacktestPage"), "BacktestPage") }),
  createRoute({ ...parent, path: "/strategies", component: lazyRouteComponent(() => import("@/features/strategies/StrategiesPage"), "StrategiesPage") }),
  createRoute({ ...parent, path: "/begin", component: lazyRouteComponent(() => import("@/features/onboarding/OnboardingPage"), "OnboardingPage") }),
  createRoute({ ...parent, path: "/settings", component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "PlatformSettingsPage") }),
  createRoute({
    ...parent,
    path: "/audit",
    validateSearch: (search): AuditSearch => ({
      scope: text(search.scope), actor: text(search.actor), action: text(search.action), correlation: text(search.correlation),
      words: text(search.words), since: day(search.since), until: day(search.until),
    }),
    component: lazyRouteComponent(() => import("@/features/audit/AuditPage"), "AuditPage"),
  }),
  createRoute({ ...parent, path: "/people", component: lazyRouteComponent(() => import("@/features/people/PeoplePage"), "PeoplePage") }),
  createRoute({ ...parent, path: "/system", component: lazyRouteComponent(() => import("@/features/system/SystemPage"), "SystemPage") }),
  createRoute({ ...parent, path: "/accounts/$account", component: lazyRouteComponent(() => import("@/features/account/AccountPage"), "AccountPage") }),
  createRoute({ ...parent, path: "/accounts/$account/trade", component: lazyRouteComponent(() => import("@/features/manual-trade/ManualTradePage"), "ManualTradePage") }),
  createRoute({ ...parent, path: "/accounts/$account/hedge", component: lazyRouteComponent(() => import("@/features/hedge/HedgePage"), "HedgePage") }),
  createRoute({ ...parent, path: "/accounts/$account/capital", component: lazyRouteComponent(() => import("@/features/capital/CapitalPage"), "CapitalPage") }),
  createRoute({ ...parent, path: "/accounts/$account/report", component: lazyRouteComponent(() => import("@/features/reports/ReportPage"), "ReportPage") }),
  createRoute({ ...parent, path: "/accounts/$account/limits", component: lazyRouteComponent(() => import("@/features/limits/LimitsPage"), "LimitsPage") }),
  createRoute({ ...parent, path: "/accounts/$account/lots", component: lazyRouteComponent(() => import("@/features/lots/LotsPage"), "LotsPage") }),
  createRoute({ ...parent, path: "/accounts/$account/stress", component: lazyRouteComponent(() => import("@/features/stress/StressPage"), "StressPage") }),
  createRoute({ ...parent, path: "/accounts/$account/shadow", component: lazyRouteComponent(() => import("@/features/shadow/ShadowPage"), "ShadowPage") }),
  createRoute({ ...parent, path: "/accounts/$account/reconciliation", component: lazyRouteComponent(() => import("@/features/reconciliation/ReconciliationPage"), "ReconciliationPage") }),
  createRoute({ ...parent, path: "/accounts/$account/mode", component: lazyRouteComponent(() => import("@/features/mode/ModePage"), "ModePage") }),
  createRoute({ ...parent, path: "/accounts/$account/keys", component: lazyRouteComponent(() => import("@/features/keys/KeysPage"), "KeysPage") }),
  createRoute({ ...parent, path: "/accounts/$account/settings", component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "AccountSettingsPage") }),
  createRoute({ ...parent, path: "/accounts/$account/trades/$number", component: lazyRouteComponent(() => import("@/features/trade/TradePage"), "TradePage") }),
] as const;

export const router = createRouter({ routeTree: root.addChildren(routes), scrollRestoration: true, defaultErrorComponent: PageFailed });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
