import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const notifications = queryOptions({
  queryKey: ["notifications", "list"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/notifications", { params: { query: { limit: 200 } }, signal })),
});

export const notificationStatus = queryOptions({
  queryKey: ["notifications", "status"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/notifications/status", { signal })),
});

export const channels = queryOptions({
  queryKey: ["people", "own-channels"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/me/channels", { signal })),
});
