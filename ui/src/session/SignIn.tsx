import { type FormEvent, useState } from "react";

import { brought, client, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { ProblemNote } from "@/components/ProblemNote";

import { EnrolTotp } from "./EnrolTotp";
import { FactorForm } from "./FactorForm";

type NextStep = components["schemas"]["NextStep"];

export interface SignInProps {
  readonly onSignedIn: () => void;
  /** Why nobody could be asked, where that is so. */
  readonly problem?: Problem | undefined;
  /** The session ended while something was open: ask above it, so that drafts are kept. */
  readonly over?: boolean;
}

/** Name and password, then the second factor. */
export function SignIn({ onSignedIn, problem, over = false }: SignInProps) {
  const [step, setStep] = useState<NextStep>();
  const form = !step ? (
    <PasswordForm over={over} problem={problem} onStep={setStep} />
  ) : step.step === "enrolment" ? (
    <EnrolTotp onDone={onSignedIn} />
  ) : (
    <>
      <FactorForm
        passkey={step.passkey}
        recovery
        action="Sign in"
        onShown={async (shown) => {
          try {
            await brought(client.POST("/api/v1/sign-in/second-factor", { body: shown }));
          } catch (error) {
            // Which of the two was wrong is not told: it begins with the password again.
            if (error instanceof Problem && error.code === "sign-in-failed") setStep(undefined);
            throw error;
          }
          onSignedIn();
        }}
      />
      <Button kind="quiet" onPress={() => setStep(undefined)}>Begin again</Button>
    </>
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

interface PasswordFormProps {
  readonly over: boolean;
  readonly problem: Problem | undefined;
  readonly onStep: (step: NextStep) => void;
}

function PasswordForm({ over, problem, onStep }: PasswordFormProps) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [sending, setSending] = useState(false);
  const [failed, setFailed] = useState<Problem | undefined>(problem);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (sending) return;
    setSending(true);
    setFailed(undefined);
    try {
      onStep(await brought(client.POST("/api/v1/sign-in", { body: { name: name.trim(), password } })));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setFailed(error);
    } finally {
      setSending(false);
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} className="stack">
      {over ? <p>The session has ended. What is open stays as it is; sign in to go on.</p> : null}
      <Field label="Name" name="username" autoComplete="username" value={name} onValue={setName} required />
      <Field label="Password" type="password" name="password" autoComplete="current-password" value={password} onValue={setPassword} required />
      {failed ? <ProblemNote problem={failed} effect="Nothing was changed." /> : null}
      <Button type="submit" kind="primary" busy={sending} disabled={name.trim() === "" || password === ""}>
        Go on
      </Button>
      {over ? null : <p className="hint">The first director is set up by the link that the start prints; others by an invitation.</p>}
    </form>
  );
}
