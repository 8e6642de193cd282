import type { QueryKey } from "@tanstack/react-query";

import type { RecordEvent } from "./stream";

/**
 * Which reads an event makes old. What belongs to an account is read under
 * `["account", NAME, TOPIC, …]`, what belongs to none under its own name.
 */
const OF_ACCOUNT: Readonly<Record<string, readonly string[]>> = {
  orders: ["orders", "story"],
  trades: ["trades", "positions", "story", "assessment"],
  fills: ["story", "portfolio"],
  balances: ["portfolio", "capital", "positions"],
  accounts: ["figures", "drawdown", "mode"],
  days: ["days", "capital", "drawdown", "portfolio", "report"],
  flows: ["capital", "portfolio"],
  hedge: ["hedge"],
  settings: ["settings"],
  mode: ["mode"],
  audit: ["audit"],
};

export function keysOf(event: RecordEvent): QueryKey[] {
  switch (event.topic) {
    case "kill-switch":
      return [["kill-switch"]];
    case "approvals":
      return [["approvals"]];
    case "universe":
      return [["universe"]];
    case "platform-settings":
      return [["settings"]];
    case "audit":
      // What happens to people is told by its audit rows alone.
      return /^(person|session|factor|enrolment|access_token|recovery)_/.test(event.subject) ? [["audit", event.account], ["people"]] : [["audit", event.account]];
    default:
      return (OF_ACCOUNT[event.topic] ?? []).map((topic) => ["account", event.account, topic]);
  }
}
