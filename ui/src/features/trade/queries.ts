import { queryOptions } from "@tanstack/react-query";

import { brought, client, Problem } from "@/api/client";

export const trade = (account: string, number: number) =>
  queryOptions({
    queryKey: ["account", account, "trades", number],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/trades/{number}", { params: { path: { account, number } }, signal })),
  });

export const ordersOfTrade = (account: string, number: number) =>
  queryOptions({
    queryKey: ["account", account, "orders", "trade", number],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/accounts/{account}/orders", { params: { path: { account }, query: { trade: number, limit: 500 } }, signal })),
  });

export const assessment = (account: string, number: number) =>
  queryOptions({
    queryKey: ["account", account, "assessment", number],
    queryFn: ({ signal }) => orNull(brought(client.GET("/api/v1/accounts/{account}/trades/{number}/assessment", { params: { path: { account, number } }, signal }))),
  });

export const story = (account: string, number: number) =>
  queryOptions({
    queryKey: ["account", account, "story", number],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/accounts/{account}/trades/{number}/story", { params: { path: { account, number } }, signal })),
  });

export const explanation = (account: string, number: number) =>
  queryOptions({
    queryKey: ["account", account, "explanation", number],
    queryFn: ({ signal }) => orNull(brought(client.GET("/api/v1/accounts/{account}/trades/{number}/explanation", { params: { path: { account, number } }, signal }))),
  });

export const slippage = (account: string, number: number) =>
  queryOptions({
    queryKey: ["account", account, "story", number, "slippage"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/trades/{number}/slippage", { params: { path: { account, number } }, signal })),
  });

/** What is not there is told by 404, and is no failure. */
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}
