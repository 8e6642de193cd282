import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const people = queryOptions({
  queryKey: ["people", "list"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/people", { signal })),
});

export const sessions = queryOptions({
  queryKey: ["people", "own-sessions"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/me/sessions", { signal })),
});

export const factors = queryOptions({
  queryKey: ["people", "own-factors"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/me/factors", { signal })),
});
