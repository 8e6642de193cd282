import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const freezeState = queryOptions({
  queryKey: ["freeze"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/freeze", { signal })),
});
