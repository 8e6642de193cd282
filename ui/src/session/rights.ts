/** What the person may do: the API's own table of rights, held against the roles granted. */

import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";

export type RightsTable = components["schemas"]["RightsTable"];
type Grant = components["schemas"]["GrantView"];

export const rightsTable = queryOptions({
  queryKey: ["rights"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/rights", { signal })),
});

/** Words for an action, behind "To … you need". */
export const WORDS: Readonly<Record<string, string>> = {
  "kill_switch.engage": "engage the kill switch",
  "kill_switch.lift": "ask for a kill switch to be lifted",
  "freeze.begin": "freeze changes",
  "freeze.end": "end a change freeze",
  "freeze.review": "review what was changed in spite of a freeze",
  "trade.open": "open trades by hand",
  "trade.close": "close trades",
  "trade.protect": "change the exits of a trade",
  "backtest.run": "run backtests",
  "evidence.export": "take evidence of the record away",
  "approval.approve": "approve what others ask for",
  "approval.refuse": "refuse requests",
  "hedge.override": "set the hedge by hand",
  "account.halt": "halt an account",
  "account.resume": "resume an account",
  "account.mode": "change an account's mode",
  "live.request": "ask for an account to go live",
  "live.approve": "approve that an account goes live",
  "account.settings": "change settings of an account",
  "platform.settings": "change settings of the platform",
  "universe.request": "ask for changes of the universe",
  "universe.approve": "approve changes of the universe",
  "universe.refuse": "refuse changes of the universe",
  "key.manage": "store and rotate exchange keys",
  "notification.acknowledge": "acknowledge notifications",
  "audit.read": "read the record of actions",
  "capital.move": "record deposits, withdrawals and transfers",
  "drawdown.lift": "lift the halt of a total drawdown",
  "stress.run": "run stress tests",
  "recovery.cancel": "stop a recovery",
  "people.read": "see who may do what",
  "people.manage": "invite and change people",
};

/** Whether roles include an action; the API judges it again, and its word counts. */
export function allows(table: RightsTable, grants: readonly Grant[], action: string, account?: string): boolean {
  const right = table.rights.find((one) => one.action === action);
  if (!right) return false;
  return grants.some((grant) => {
    if (!right.roles.includes(grant.role)) return false;
    if (right.scope === "platform") return grant.account === "*";
    if (right.scope === "account" && account !== undefined) return grant.account === "*" || grant.account === account;
    return true;
  });
}

export function rolesWith(table: RightsTable, action: string): string[] {
  return (table.rights.find((one) => one.action === action)?.roles ?? []).map((role) => role.replaceAll("_", " "));
}
