import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const stressRuns = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "stress", "list"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/stress", { params: { path: { account }, query: { limit: 50 } }, signal })),
  });

export const stressRun = (account: string, run: string) =>
  queryOptions({
    queryKey: ["account", account, "stress", run],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/stress/{run_id}", { params: { path: { account, run_id: run } }, signal })),
    enabled: run !== "",
  });
