import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const PLATFORM = "platform";

export const definitions = (owner: string) =>
  queryOptions({
    queryKey: ["settings-definitions", owner === PLATFORM ? "platform" : "account"],
    queryFn: ({ signal }) =>
      brought(client.GET("/api/v1/settings/definitions", { params: { query: { scope: owner === PLATFORM ? "platform" : "account" } }, signal })),
  });

export const values = (owner: string) =>
  queryOptions({
    queryKey: owner === PLATFORM ? ["settings", "now"] : ["account", owner, "settings", "now"],
    queryFn: ({ signal }) =>
      brought(
        owner === PLATFORM
          ? client.GET("/api/v1/settings", { signal })
          : client.GET("/api/v1/accounts/{account}/settings", { params: { path: { account: owner } }, signal }),
      ),
  });

export const versions = (owner: string) =>
  queryOptions({
    queryKey: owner === PLATFORM ? ["settings", "versions"] : ["account", owner, "settings", "versions"],
    queryFn: ({ signal }) =>
      brought(
        owner === PLATFORM
          ? client.GET("/api/v1/settings/versions", { signal })
          : client.GET("/api/v1/accounts/{account}/settings/versions", { params: { path: { account: owner } }, signal }),
      ),
  });
