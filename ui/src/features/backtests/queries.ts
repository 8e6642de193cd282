/** Reads of backtests: all under `["backtests", …]`, which the events of the record name. */

import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";

export type Backtest = components["schemas"]["BacktestView"];
export type BacktestResult = components["schemas"]["BacktestResult"];
export type BacktestChoices = components["schemas"]["BacktestChoices"];

export const backtests = queryOptions({
  queryKey: ["backtests", "list"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/backtests", { signal })),
});

export const choices = queryOptions({
  queryKey: ["backtest-choices"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/backtests/choices", { signal })),
});

export const backtest = (run: string) =>
  queryOptions({
    queryKey: ["backtests", "one", run],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/backtests/{run_id}", { params: { path: { run_id: run } }, signal })),
  });

/** @param first and @param second name a backtest, with `.NUMBER` of one of its results. */
export const comparison = (first: string, second: string) =>
  queryOptions({
    queryKey: ["backtests", "comparison", first, second],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/backtests/comparison", { params: { query: { first, second } }, signal })),
  });

export const isUnderWay = (one: { readonly state: string }): boolean => one.state === "queued" || one.state === "running";

/** A venue in words: the platform's own candles, history that was imported, or a folder's name. */
export function venueName(venue: string): string {
  if (venue === "record") return "the platform's own record";
  return venue.startsWith("history.") ? `kept history of ${venue.slice("history.".length)}` : venue;
}

/** Order of venues: folders of recordings, then what the platform itself keeps; each by name. */
export function foldersFirst(one: string, other: string): number {
  const kept = (venue: string) => (venueName(venue) === venue ? "0" : "1") + venue;
  return kept(one).localeCompare(kept(other));
}
