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
    queryFn: async ({ signal }) => {
      try {
        return await brought(client.GET("/api/v1/accounts/{account}/trades/{number}/assessment", { params: { path: { account, number } }, signal }));
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return null;
        throw error;
      }
    },
  });

export const story = (account: string, number: number) =>
  queryOptions({
    queryKey: ["account", account, "story", number],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/accounts/{account}/trades/{number}/story", { params: { path: { account, number } }, signal })),
  });
