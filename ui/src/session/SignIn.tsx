import { type FormEvent, useState } from "react";

import { brought, client, Problem } from "@/api/client";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { ProblemNote } from "@/components/ProblemNote";

import type { Person } from "./session";

export interface SignInProps {
  readonly onSignedIn: (person: Person) => void;
  /** Why nobody could be asked, where that is so. */
  readonly problem?: Problem | undefined;
  /** The session ended while something was open: ask above it, so that drafts are kept. */
  readonly over?: boolean;
}

export function SignIn({ onSignedIn, problem, over = false }: SignInProps) {
  const [token, setToken] = useState("");
  const [sending, setSending] = useState(false);
  const [failed, setFailed] = useState<Problem | undefined>(problem);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (sending) return;
    setSending(true);
    try {
      onSignedIn(await brought(client.POST("/api/v1/browser-session", { body: { token: token.trim() } })));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setFailed(error);
    } finally {
      setSending(false);
    }
  }

  const form = (
    <form onSubmit={(event) => void submit(event)} className="stack">
      {over ? <p>The session has ended. What is open stays as it is; sign in to go on.</p> : null}
      <Field
        label="Token"
        type="password"
        name="token"
        autoComplete="current-password"
        value={token}
        onValue={setToken}
        hint="On the platform's machine: .venv/bin/aether admin token"
        required
      />
      {failed ? <ProblemNote problem={failed} effect="Nothing was changed." /> : null}
      <Button type="submit" kind="primary" busy={sending} disabled={token.trim().length < 20}>
        Sign in
      </Button>
    </form>
  );
  if (over) {
    return (
      <Dialog title="Sign in again" open>
        {form}
      </Dialog>
    );
  }
  return (
    <main className="sign-in">
      <h1>Aether</h1>
      {form}
    </main>
  );
}
