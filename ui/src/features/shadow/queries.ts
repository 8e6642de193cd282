import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const shadowReport = (account: string, shadow: string) =>
  queryOptions({
    queryKey: ["account", account, "shadow", shadow],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/shadows/{shadow}", { params: { path: { account, shadow }, query: { limit: 200 } }, signal })),
    enabled: shadow !== "",
  });
