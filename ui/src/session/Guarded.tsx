import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { allows, rightsTable, rolesWith, WORDS } from "./rights";
import { useSession } from "./session";

export interface GuardedProps {
  /** The action as the table of rights names it. */
  readonly right: string;
  /** The account that it is about, where it is about one. */
  readonly account?: string | undefined;
  readonly children: ReactNode;
}

/** Show what needs a right to who has it; tell everybody else which right it is and who has it. */
export function Guarded({ right, account, children }: GuardedProps) {
  const { person } = useSession();
  const table = useQuery(rightsTable);
  if (!table.data) return table.isPending ? <p className="page-note">Asking what you may do …</p> : children;
  if (allows(table.data, person.grants, right, account)) return children;
  return (
    <p className="lacks-right" role="note">
      To {WORDS[right] ?? right} you need the right <code>{right}</code>
      {account ? ` for ${account}` : ""}; your roles do not include it. Ask a {rolesWith(table.data, right).join(" or ")}.
    </p>
  );
}
