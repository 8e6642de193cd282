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
