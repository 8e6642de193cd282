import { queryOptions } from "@tanstack/react-query";

import { brought, client, Problem } from "@/api/client";

export const doubts = queryOptions({
  queryKey: ["market", "doubts"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/market/doubts", { params: { query: { limit: 100 } }, signal })),
});

export const correlations = queryOptions({
  queryKey: ["market", "correlations"],
  queryFn: async ({ signal }) => {
    try {
      return await brought(client.GET("/api/v1/correlations", { signal }));
    } catch (error) {
      // None yet is no failure.
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  },
});

export const dataWork = queryOptions({
  queryKey: ["market", "work"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/market/data-work", { signal })),
});

/** The newest minutes of a pair's book and trade flow. */
export const figures = (symbol: string) =>
  queryOptions({
    queryKey: ["market", "figures", symbol],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/market/figures", { params: { query: { symbol, limit: 15 } }, signal })),
    enabled: symbol !== "",
  });

export const sentiment = queryOptions({
  queryKey: ["market", "sentiment"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/market/sentiment", { params: { query: { limit: 20 } }, signal })),
});
