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

export const sentiment = queryOptions({
  queryKey: ["market", "sentiment"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/market/sentiment", { params: { query: { limit: 20 } }, signal })),
});
