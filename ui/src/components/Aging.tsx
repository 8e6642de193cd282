import { createContext, type ReactNode, useContext } from "react";

import { serverTime } from "@/format/clock";
import { ageText } from "@/format/time";
import { type Connection, useConnection } from "@/live/connection";
import { useNow } from "@/live/now";

/** How old a figure may be that nothing says more about: three heartbeats of the stream. */
export const BUDGET_SECONDS = 15;
/** How old a figure may be that moves with the prices: no event tells of each. */
export const PRICED_BUDGET_SECONDS = 60;

/** Why the figures inside are too old; undefined while they are not. */
const TooOld = createContext<string | undefined>(undefined);

/** Why figures here are too old to be believed, as the read around them knows it. */
export function useTooOld(): string | undefined {
  return useContext(TooOld);
}

/** What is too old of an age and its budget, in words; undefined while it is not. */
export function tooOldText(ageMs: number, budgetSeconds: number): string | undefined {
  if (!Number.isFinite(ageMs)) return "of unknown age";
  return ageMs > budgetSeconds * 1000 ? `${ageText(ageMs)} old` : undefined;
}

export interface AgingProps {
  /** When the figures were so, by the platform: they age from then on, whatever the connection. */
  readonly asOf?: string | undefined;
  /** When they were read, by this browser's clock in milliseconds; 0: never. */
  readonly readAt?: number | undefined;
  /** They move with the prices: they age while the stream lives, too. */
  readonly priced?: boolean;
  /** Reading them again failed: that the stream lives says nothing of them. */
  readonly failed?: boolean;
  readonly budgetSeconds?: number | undefined;
  readonly children: ReactNode;
}

/**
 * Have every figure inside know its age.
 *
 * What the stream tells changes of is as it was read for as long as the stream lives; from then on,
 * or where reading it again failed, it ages.
 */
export function Aging({ asOf, readAt, priced = false, failed = false, budgetSeconds, children }: AgingProps) {
  const connection = useConnection();
  const budget = budgetSeconds ?? (priced ? PRICED_BUDGET_SECONDS : BUDGET_SECONDS);
  const told = asOf === undefined && !priced && !failed && connection.state === "live";
  const now = useNow(!told);
  const since = asOf === undefined ? readSince(readAt, connection, priced || failed) : new Date(asOf).getTime();
  return <TooOld.Provider value={told ? undefined : tooOldText(now - since, budget)}>{children}</TooOld.Provider>;
}

function readSince(readAt: number | undefined, connection: Connection, alone: boolean): number {
  if (!readAt) return Number.NaN;
  return serverTime(alone ? readAt : Math.max(readAt, connection.liveAt ?? 0));
}

/** Facts of what is over: they do not age. */
export function Lasting({ children }: { readonly children: ReactNode }) {
  return <TooOld.Provider value={undefined}>{children}</TooOld.Provider>;
}
