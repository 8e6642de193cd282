import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const controlRoom = queryOptions({
  queryKey: ["control-room"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/control-room", { signal })),
});
