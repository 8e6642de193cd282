/** The pages of the menu. */
export const PAGES = [
  { to: "/", label: "Overview" },
  { to: "/portfolio", label: "Portfolio" },
  { to: "/alerts", label: "Alerts" },
  { to: "/approvals", label: "Approvals" },
  { to: "/market", label: "Market" },
  { to: "/universe", label: "Universe" },
  { to: "/strategies", label: "Strategies and models" },
  { to: "/backtests", label: "Backtests" },
  { to: "/settings", label: "Settings" },
  { to: "/people", label: "People" },
  { to: "/audit", label: "Audit" },
  { to: "/system", label: "System" },
  { to: "/begin", label: "Set-up" },
] as const;
