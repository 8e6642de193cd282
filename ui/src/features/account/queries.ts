/** Reads of one account: all under `["account", NAME, …]`, so that events can name them. */

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const TRADES_OF_A_PAGE = 500;

export const portfolio = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "portfolio"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/portfolio", { params: { path: { account } }, signal })),
  });

export const positions = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "positions"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/positions", { params: { path: { account } }, signal })),
  });

export const openOrders = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "orders", "open"],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/accounts/{account}/orders", { params: { path: { account }, query: { open: true, limit: 200 } }, signal })),
  });

export const trades = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "trades", "list"],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/accounts/{account}/trades", { params: { path: { account }, query: { limit: 500 } }, signal })),
  });

/** Trades page by page, the newest first: a page begins where the one before ended, so that none is left out. */
export const pagesOfTrades = (account: string) =>
  infiniteQueryOptions({
    queryKey: ["account", account, "trades", "pages"],
    queryFn: ({ signal, pageParam }) =>
      brought(
        client.GET("/api/v1/accounts/{account}/trades", {
          params: { path: { account }, query: { limit: TRADES_OF_A_PAGE, ...(pageParam === null ? {} : { before: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.length < TRADES_OF_A_PAGE ? undefined : last.at(-1)?.number),
    select: (data) => data.pages.flat(),
  });

export const hedge = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "hedge", "now"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/hedge", { params: { path: { account } }, signal })),
  });

export const hedgeHistory = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "hedge", "history"],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/accounts/{account}/hedge/history", { params: { path: { account }, query: { limit: 50 } }, signal })),
  });

export const capital = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "capital"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/capital", { params: { path: { account } }, signal })),
  });

export const days = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "days"],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/accounts/{account}/days", { params: { path: { account }, query: { limit: 60 } }, signal })),
  });

export const limits = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "limits"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/limits", { params: { path: { account } }, signal })),
  });

export const lots = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "lots"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/lots", { params: { path: { account } }, signal })),
  });

export const gains = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "gains"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/gains", { params: { path: { account } }, signal })),
  });
