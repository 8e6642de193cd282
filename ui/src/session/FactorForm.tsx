import { type FormEvent, useState } from "react";

import { Problem } from "@/api/problem";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { ProblemNote } from "@/components/ProblemNote";

import { signed } from "./passkey";

/** One of a code, a recovery code, or what a passkey has signed. */
export interface Shown {
  readonly code?: string;
  readonly recovery_code?: string;
  readonly credential?: Record<string, unknown>;
}

export interface FactorFormProps {
  /** Options for a passkey, where there is one for this address. */
  readonly passkey: Readonly<Record<string, unknown>> | null | undefined;
  /** Whether a recovery code does as well: for signing in, not for confirming. */
  readonly recovery: boolean;
  readonly action: string;
  readonly onShown: (shown: Shown) => Promise<void>;
}

/** Ask for the second factor. */
export function FactorForm({ passkey, recovery, action, onShown }: FactorFormProps) {
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const plain = code.trim();
  const isCode = /^\d{6}$/.test(plain);
  const isRecovery = recovery && /^[0-9A-Za-z -]{8,40}$/.test(plain) && !isCode;

  async function show(shown: () => Promise<Shown>) {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await onShown(await shown());
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "passkey", `The passkey was not used: ${String(error)}`));
    } finally {
      setBusy(false);
      setCode("");
    }
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (isCode || isRecovery) void show(() => Promise.resolve(isCode ? { code: plain } : { recovery_code: plain }));
  }

  return (
    <form className="stack" onSubmit={submit}>
      {passkey ? (
        <Button kind="primary" busy={busy} onPress={() => void show(async () => ({ credential: await signed(passkey) }))}>
          {action} with a passkey
        </Button>
      ) : null}
      <Field
        label={recovery ? "Code, or recovery code" : "Code"}
        value={code}
        onValue={setCode}
        autoComplete="one-time-code"
        inputMode={recovery ? "text" : "numeric"}
        hint="of the authenticator, six digits"
      />
      {problem ? <ProblemNote problem={problem} effect="Nothing was done." /> : null}
      <Button type="submit" kind={passkey ? "plain" : "primary"} busy={busy} disabled={!isCode && !isRecovery}>
        {action}
      </Button>
    </form>
  );
}
