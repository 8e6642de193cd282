import type { components } from "@/api/schema";

type Portfolio = components["schemas"]["Portfolio"];
type Holding = components["schemas"]["Holding"];

/** One asset over all accounts of a mode, and who holds how much of it. */
export interface HeldTogether {
  readonly holding: Holding;
  readonly by: readonly { readonly account: string; readonly holding: Holding }[];
}

/** Each asset of the accounts together with its parts; the sums are the platform's own. */
export function heldTogether(total: Portfolio, accounts: Readonly<Record<string, Portfolio>>): HeldTogether[] {
  return total.holdings.map((holding) => ({
    holding,
    by: Object.entries(accounts).flatMap(([account, one]) =>
      one.holdings.filter((part) => part.asset === holding.asset).map((part) => ({ account, holding: part })),
    ),
  }));
}
