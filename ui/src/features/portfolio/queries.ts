import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const portfolios = queryOptions({
  queryKey: ["portfolios"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/portfolio", { signal })),
});
