import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { OverviewPage } from "@/features/overview/OverviewPage";

import { NotFound } from "./NotFound";
import { PageFailed } from "./PageFailed";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const parent = { getParentRoute: () => root } as const;

export interface AuditSearch {
  readonly scope?: string | undefined;
  readonly action?: string | undefined;
  readonly words?: string | undefined;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const routes = [
  createRoute({ ...parent, path: "/", component: OverviewPage }),
  createRoute({ ...parent, path: "/approvals", component: lazyRouteComponent(() => import("@/features/approvals/ApprovalsPage"), "ApprovalsPage") }),
  createRoute({ ...parent, path: "/universe", component: lazyRouteComponent(() => import("@/features/universe/UniversePage"), "UniversePage") }),
  createRoute({ ...parent, path: "/settings", component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "PlatformSettingsPage") }),
  createRoute({
    ...parent,
    path: "/audit",
    validateSearch: (search): AuditSearch => ({ scope: text(search.scope), action: text(search.action), words: text(search.words) }),
    component: lazyRouteComponent(() => import("@/features/audit/AuditPage"), "AuditPage"),
  }),
  createRoute({ ...parent, path: "/people", component: lazyRouteComponent(() => import("@/features/people/PeoplePage"), "PeoplePage") }),
  createRoute({ ...parent, path: "/system", component: lazyRouteComponent(() => import("@/features/system/SystemPage"), "SystemPage") }),
  createRoute({ ...parent, path: "/accounts/$account", component: lazyRouteComponent(() => import("@/features/account/AccountPage"), "AccountPage") }),
  createRoute({ ...parent, path: "/accounts/$account/trade", component: lazyRouteComponent(() => import("@/features/manual-trade/ManualTradePage"), "ManualTradePage") }),
  createRoute({ ...parent, path: "/accounts/$account/hedge", component: lazyRouteComponent(() => import("@/features/hedge/HedgePage"), "HedgePage") }),
  createRoute({ ...parent, path: "/accounts/$account/capital", component: lazyRouteComponent(() => import("@/features/capital/CapitalPage"), "CapitalPage") }),
  createRoute({ ...parent, path: "/accounts/$account/report", component: lazyRouteComponent(() => import("@/features/reports/ReportPage"), "ReportPage") }),
  createRoute({ ...parent, path: "/accounts/$account/mode", component: lazyRouteComponent(() => import("@/features/mode/ModePage"), "ModePage") }),
  createRoute({ ...parent, path: "/accounts/$account/settings", component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "AccountSettingsPage") }),
  createRoute({ ...parent, path: "/accounts/$account/trades/$number", component: lazyRouteComponent(() => import("@/features/trade/TradePage"), "TradePage") }),
] as const;

export const router = createRouter({ routeTree: root.addChildren(routes), scrollRestoration: true, defaultErrorComponent: PageFailed });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
