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

export const tokens = queryOptions({
  queryKey: ["people", "own-tokens"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/me/tokens", { signal })),
});

export const recoveries = queryOptions({
  queryKey: ["people", "recoveries"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/recoveries", { signal })),
});

export const sessionsOf = (person: string) =>
  queryOptions({
    queryKey: ["people", person, "sessions"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/people/{person}/sessions", { params: { path: { person } }, signal })),
  });
