import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Problem } from "@/api/problem";

import { ProblemNote } from "./ProblemNote";

export interface QueryStateProps<Data> {
  readonly query: UseQueryResult<Data>;
  /** What is asked for, as in "the overview". */
  readonly what: string;
  readonly children: (data: Data) => ReactNode;
}

/** What is asked for, or that it is being asked for, or why it is not there. */
export function QueryState<Data>({ query, what, children }: QueryStateProps<Data>) {
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
      {query.data !== undefined ? children(query.data) : null}
      {query.isPending && !query.error ? <p className="page-note" role="status">Reading {what} …</p> : null}
    </>
  );
}
