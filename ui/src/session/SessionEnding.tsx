import { useNow } from "@/live/now";

import { useSession } from "./session";

export const ANNOUNCED_MS = 120_000;

export interface SessionEndingProps {
  readonly onSignInAgain: () => void;
}

/** Two minutes before a session ends: what is typed is kept, and one can sign in again before. */
export function SessionEnding({ onSignInAgain }: SessionEndingProps) {
  const { person } = useSession();
  const now = useNow();
  const left = new Date(person.ends_at).getTime() - now;
  if (left > ANNOUNCED_MS) return null;
  return (
    <div className="banner banner-warn session-ending" role="status">
      <span>
        {left > 0 ? `The session ends in ${Math.ceil(left / 1000)} s.` : "The session has ended."} What is typed stays as it is.
      </span>
      <button type="button" className="button button-plain" onClick={onSignInAgain}>
        Sign in again now
      </button>
    </div>
  );
}
