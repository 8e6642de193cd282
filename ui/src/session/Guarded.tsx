import type { ReactNode } from "react";

import { hasRight, RIGHTS, type Right, rolesWith } from "./rights";
import { useSession } from "./session";

export interface GuardedProps {
  readonly right: Right;
  readonly children: ReactNode;
}

/** Show what needs a right to who has it; tell everybody else which right it is and who has it. */
export function Guarded({ right, children }: GuardedProps) {
  const { person } = useSession();
  if (hasRight(person.role, right)) return children;
  return (
    <p className="lacks-right" role="note">
      To {RIGHTS[right]} you need the right <code>{right}</code>; the role {person.role} does not have it. Ask a
      person who is {rolesWith(right).join(" or ")}.
    </p>
  );
}
