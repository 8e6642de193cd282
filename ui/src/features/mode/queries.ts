import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const conditions = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "mode", "conditions"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/going-live", { params: { path: { account } }, signal })),
  });
export const requests = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "mode", "requests"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/going-live/requests", { params: { path: { account } }, signal })),
  });
export const modeChanges = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "mode", "changes"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/mode-changes", { params: { path: { account } }, signal })),
  });
