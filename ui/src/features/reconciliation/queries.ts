import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const reconciliations = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "reconciliations"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/reconciliations", { params: { path: { account }, query: { limit: 100 } }, signal })),
  });

export const unknownOrders = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "reconciliations", "unknown-orders"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/unknown-orders", { params: { path: { account } }, signal })),
  });
