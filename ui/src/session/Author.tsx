import { queryOptions, useQuery } from "@tanstack/react-query";

import { brought, client } from "@/api/client";

export const directory = queryOptions({
  queryKey: ["people", "directory"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/people/directory", { signal })),
});

export interface AuthorProps {
  /** As the record has it: `user/…` for a person, else a name of the platform's own. */
  readonly id: string | null | undefined;
}

/** What a person is called now, by the id that the record keeps. */
export function Author({ id }: AuthorProps) {
  const known = useQuery(directory);
  if (!id) return null;
  const person = known.data?.find((one) => one.user === id);
  return person ? <span title={id}>{person.display_name}</span> : <>{id}</>;
}
