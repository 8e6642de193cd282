import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Problem } from "@/api/problem";

import { Aging, Lasting } from "./Aging";
import { ProblemNote } from "./ProblemNote";

export interface QueryStateProps<Data> {
  readonly query: UseQueryResult<Data>;
  /** What is asked for, as in "the overview". */
  readonly what: string;
  /** When the figures were so, where the answer says it. */
  readonly asOf?: ((data: Data) => string) | undefined;
  /** Its figures move with the prices, which no event tells of each. */
  readonly priced?: boolean;
  /** It tells of what is over: its figures do not age. */
  readonly lasting?: boolean;
  /** How old its figures may be, in seconds. */
  readonly budgetSeconds?: number | undefined;
  readonly children: (data: Data) => ReactNode;
}

/** What is asked for, its figures with their age; or that it is being asked for, or why it is not there. */
export function QueryState<Data>({ query, what, asOf, priced, lasting = false, budgetSeconds, children }: QueryStateProps<Data>) {
  const problem = query.error instanceof Problem ? query.error : undefined;
  return (
    <>
      {problem ? (
        <ProblemNote
          problem={problem}
          effect={
            query.data === undefined
              ? `None: this only reads ${what}. Trading goes on or not regardless of this page.`
              : "None: the figures below are those last read, and are marked by their age."
          }
          onRetry={() => void query.refetch()}
        />
      ) : null}
      {query.error && !problem ? <p role="alert" className="error">{String(query.error)}</p> : null}
      {query.data === undefined ? null : lasting ? (
        <Lasting>{children(query.data)}</Lasting>
      ) : (
        <Aging asOf={asOf?.(query.data)} readAt={query.dataUpdatedAt} priced={priced ?? false} failed={query.error !== null} budgetSeconds={budgetSeconds}>
          {children(query.data)}
        </Aging>
      )}
      {query.isPending && !query.error ? <p className="page-note" role="status">Reading {what} …</p> : null}
    </>
  );
}
