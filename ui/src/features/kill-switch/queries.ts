import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const killSwitches = queryOptions({
  queryKey: ["kill-switch"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/kill-switch", { signal })),
});
