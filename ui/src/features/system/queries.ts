import { queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

/** The other processes' word; no event of the record tells of it, so that it is asked for anew by hand. */
export const systemFigures = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/system", { signal })),
});

export const readiness = queryOptions({
  queryKey: ["control-room-readiness"],
  queryFn: async ({ signal }) => {
    const answer = await client.GET("/readyz", { signal });
    return answer.data ?? (answer.error as NonNullable<typeof answer.data>);
  },
});
