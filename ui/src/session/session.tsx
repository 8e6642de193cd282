/**
 * Who is signed in. The seam for every way of signing in: whatever it is, it ends in a cookie that
 * no script reads and in a `Person`; nothing else in the pages knows how that came about.
 */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";

import { brought, client, Problem, whenUnauthorized } from "@/api/client";
import type { components } from "@/api/schema";
import { announce, whenTold } from "@/live/channel";

import { SessionEnding } from "./SessionEnding";
import { SignIn } from "./SignIn";
import { StepUpDialog } from "./StepUpDialog";

export type Person = components["schemas"]["Me"];

interface Session {
  readonly person: Person;
  readonly signOut: () => Promise<void>;
}

const SessionContext = createContext<Session | undefined>(undefined);

export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const found = useContext(SessionContext);
  if (!found) throw new Error("nobody is signed in here");
  return found;
}

/** Show the pages to who is signed in; else ask. What was open stays beneath: drafts are kept. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const [ended, setEnded] = useState(false);
  const session = useQuery({
    queryKey: ["session"],
    queryFn: () => brought(client.GET("/api/v1/me")),
    retry: (count, error) => !(error instanceof Problem && error.status === 401) && count < 50,
    staleTime: Infinity,
  });

  useEffect(() => {
    whenUnauthorized(() => setEnded(true));
    return whenTold((message) => {
      if (message.kind === "signed-out") setEnded(true);
      if (message.kind === "signed-in") void queries.invalidateQueries().then(() => setEnded(false));
    });
  }, [queries]);

  const signedIn = useCallback(() => {
    announce({ kind: "signed-in" });
    void queries.invalidateQueries().then(() => setEnded(false));
  }, [queries]);
  const signOut = useCallback(async () => {
    try {
      await brought(client.POST("/api/v1/sign-out"));
    } finally {
      announce({ kind: "signed-out" });
      queries.clear();
      setEnded(true);
      globalThis.location.assign("/");
    }
  }, [queries]);
  const person = session.data;
  const value = useMemo(() => (person ? { person, signOut } : undefined), [person, signOut]);

  if (!value) {
    if (session.isPending && !ended) return <p className="page-note">Asking who is signed in …</p>;
    const problem = session.error instanceof Problem && session.error.status !== 401 ? session.error : undefined;
    return <SignIn onSignedIn={signedIn} problem={problem} />;
  }
  return (
    <SessionContext.Provider value={value}>
      <SessionEnding onSignInAgain={() => setEnded(true)} />
      {children}
      <StepUpDialog />
      {ended ? <SignIn onSignedIn={signedIn} over /> : null}
    </SessionContext.Provider>
  );
}
