import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import type { components } from "@/api/schema";

import { killSwitches } from "./queries";

type KillSwitch = components["schemas"]["KillSwitch"];

export interface StandingSwitchesProps {
  /** Only those that hold this account; without it, all. */
  readonly account?: string;
}

/** Kill switches that stand: what each stops, and where it is lifted. */
export function StandingSwitches({ account }: StandingSwitchesProps) {
  const switches = useQuery(killSwitches);
  const standing = (switches.data ?? []).filter((row) => row.lifted_at === null && (account === undefined || row.accounts.includes(account)));
  return standing.map((row) => (
    <p key={row.number} className="banner banner-alarm" role="status">
      ⚠ {wordsOf(row, account)} <Link to="/system">Kill switches</Link>
    </p>
  ));
}

function wordsOf(row: KillSwitch, account: string | undefined): string {
  const pairs = row.symbols ?? [];
  const where = account === undefined ? ` by ${row.accounts.join(", ")}` : "";
  return pairs.length === 0
    ? `Kill switch ${row.number} stands: nothing is bought${where}.`
    : `Kill switch ${row.number} of ${pairs.join(", ")} stands: no ${pairs.join(", ")} is bought${where}; other pairs trade on.`;
}
