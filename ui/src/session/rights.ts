/** What each role may do, and how a right is called where somebody lacks it. */

export const RIGHTS = {
  "kill-switch.engage": "engage the kill switch",
  "kill-switch.lift": "lift a kill switch",
  "trade.open": "open and close trades by hand",
  "trade.protect": "change the exits of a trade",
  "approval.decide": "decide requests for approval",
  "hedge.override": "set the hedge by hand",
  "account.halt": "halt and resume an account",
  "account.mode": "change an account's mode",
  "settings.change": "change settings",
  "universe.change": "change the universe",
} as const;

export type Right = keyof typeof RIGHTS;

const ALL = Object.keys(RIGHTS) as Right[];

const BY_ROLE: Readonly<Record<string, readonly Right[]>> = {
  administrator: ALL,
  director: ALL,
  operator: ["kill-switch.engage", "account.halt"],
  auditor: [],
};

export function hasRight(role: string, right: Right): boolean {
  return (BY_ROLE[role] ?? []).includes(right);
}

/** Roles that have a right, for telling who can be asked. */
export function rolesWith(right: Right): string[] {
  return Object.keys(BY_ROLE).filter((role) => hasRight(role, right));
}
