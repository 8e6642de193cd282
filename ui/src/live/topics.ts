import type { QueryKey } from "@tanstack/react-query";

import type { RecordEvent } from "./stream";

/**
 * Which reads an event makes old. What belongs to an account is read under
 * `["account", NAME, TOPIC, …]`, what belongs to none under its own name.
 */
const OF_ACCOUNT: Readonly<Record<string, readonly string[]>> = {
  orders: ["orders", "story"],
  trades: ["trades", "positions", "story", "assessment", "limits", "shadow"],
  fills: ["story", "portfolio", "lots", "gains"],
  balances: ["portfolio", "capital", "positions", "lots"],
  accounts: ["figures", "drawdown", "mode", "limits"],
  days: ["days", "capital", "drawdown", "portfolio", "report"],
  flows: ["capital", "portfolio", "lots"],
  hedge: ["hedge"],
  settings: ["settings", "limits"],
  mode: ["mode"],
  reports: ["reports"],
  audit: ["audit"],
};

/** What of an account is worth what its prices are: reads that every price makes older. */
const PRICED: ReadonlySet<unknown> = new Set(["positions", "portfolio", "capital", "limits"]);

/** Whether a read rests on the prices, of which no event tells. */
export function isPriced(key: QueryKey): boolean {
  return key[0] === "portfolios" || (key[0] === "account" && PRICED.has(key[2]));
}

export function keysOf(event: RecordEvent): QueryKey[] {
  switch (event.topic) {
    case "kill-switch":
      return [["kill-switch"]];
    case "notifications":
      return [["notifications"]];
    case "freeze":
      return [["freeze"]];
    case "approvals":
      return [["approvals"]];
    case "universe":
      return [["universe"]];
    case "backtests":
      return [["backtests"]];
    case "platform-settings":
      return [["settings"]];
    case "market-doubts":
      return [["market", "doubts"]];
    case "correlations":
      return [["market", "correlations"]];
    case "audit":
      return ofAudit(event);
    default:
      return ofOneAccount(event);
  }
}

function ofOneAccount(event: RecordEvent): QueryKey[] {
  const topics = OF_ACCOUNT[event.topic] ?? [];
  const keys: QueryKey[] = topics.map((topic) => ["account", event.account, topic]);
  // What all accounts hold together is made of what each holds.
  return topics.includes("portfolio") || event.topic === "mode" ? [...keys, ["portfolios"]] : keys;
}

function ofAudit(event: RecordEvent): QueryKey[] {
  const keys: QueryKey[] = [["audit", event.account], ["audit", "all"], ["audit", "protection"]];
  // What happens to people and champions is told by its audit rows alone.
  if (/^(person|session|factor|enrolment|access_token|recovery)_/.test(event.subject)) keys.push(["people"]);
  if (/^(reconciliation|unknown_order)/.test(event.subject)) keys.push(["account", event.account, "reconciliations"]);
  if (/^stress_/.test(event.subject)) keys.push(["account", event.account, "stress"]);
  if (/^champion_/.test(event.subject)) keys.push(["learning"]);
  return keys;
}
