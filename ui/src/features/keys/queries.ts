import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

/** The keys that an account has or had; asked again often enough to see a rotation happen. */
export const keysOf = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "keys"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/keys", { params: { path: { account } }, signal })),
    refetchInterval: 5000,
  });
