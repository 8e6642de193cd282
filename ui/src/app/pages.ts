/** The pages of the menu. */
export const PAGES = [
  { to: "/", label: "Overview" },
  { to: "/approvals", label: "Approvals" },
  { to: "/universe", label: "Universe" },
  { to: "/settings", label: "Settings" },
  { to: "/people", label: "People" },
  { to: "/audit", label: "Audit" },
  { to: "/system", label: "System" },
] as const;
