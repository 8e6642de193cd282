import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";

import { Refresher } from "./refresh";
import { follow, type RecordEvent } from "./stream";
import { isPriced, keysOf } from "./topics";

/** The overview comes with new prices: what else rests on them is read again at most this often. */
export const PRICED_MS = 20_000;

export interface LiveDataProps {
  readonly children: ReactNode;
}

/** Keep what is on the pages as the record has it. */
export function LiveData({ children }: LiveDataProps) {
  const queries = useQueryClient();
  useEffect(() => {
    const refresher = new Refresher(queries);
    let pricedAt = Date.now();
    return follow({
      onRecord: (event: RecordEvent) => {
        for (const key of keysOf(event)) refresher.changed(key);
      },
      onOverview: (data) => {
        queries.setQueryData(["control-room"], data);
        if (Date.now() - pricedAt < PRICED_MS) return;
        pricedAt = Date.now();
        // Only what is on the page is read: the rest when it is opened.
        for (const query of queries.getQueryCache().findAll({ type: "active", predicate: (one) => isPriced(one.queryKey) })) refresher.changed(query.queryKey);
      },
      // A stream says nothing of why it is refused; whether the session has ended is asked.
      onLost: () => void queries.refetchQueries({ queryKey: ["session"] }),
      onResync: () => void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "session" }),
      // A session that was replaced by a confirmation goes on: whether one has ended is asked.
      onSessionEnded: () => void queries.refetchQueries({ queryKey: ["session"] }),
    });
  }, [queries]);
  return children;
}
