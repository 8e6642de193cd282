import { type FormEvent, useEffect, useRef, useState } from "react";

import { brought, client, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { ProblemNote } from "@/components/ProblemNote";

type NewTotp = components["schemas"]["NewTotp"];

export interface EnrolTotpProps {
  readonly onDone: () => void;
  /** What it is called in the list of factors. */
  readonly label?: string;
  /** Beside others that are there already. */
  readonly further?: boolean;
}

/** An authenticator as second factor: its secret is shown once, and confirmed with a code. */
export function EnrolTotp({ onDone, label = "authenticator", further = false }: EnrolTotpProps) {
  const [made, setMade] = useState<NewTotp>();
  const [code, setCode] = useState("");
  const [codes, setCodes] = useState<readonly string[]>();
  const [problem, setProblem] = useState<Problem>();
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current) return;
    asked.current = true;
    brought(client.POST("/api/v1/me/factors/totp", { body: { label } })).then(setMade, (error: unknown) => {
      if (error instanceof Problem) setProblem(error);
    });
  }, [label]);

  async function confirm(event: FormEvent) {
    event.preventDefault();
    if (!made) return;
    try {
      const added = await brought(client.POST("/api/v1/me/factors/totp/{factor}/confirm", { params: { path: { factor: made.factor } }, body: { code: code.trim() } }));
      if (added.recovery_codes.length === 0) onDone();
      else setCodes(added.recovery_codes);
    } catch (error) {
      if (error instanceof Problem) setProblem(error);
    }
  }

  if (codes) {
    return <RecoveryCodes codes={codes} onKept={onDone} />;
  }
  return (
    <form className="stack" onSubmit={(event) => void confirm(event)}>
      <p>{further ? "" : "A second factor is needed before anything else. "}Add this to an authenticator, then type the code that it shows.</p>
      {made ? (
        <>
          <img className="qr" alt="QR code of the secret below" src={`data:image/svg+xml,${encodeURIComponent(made.qr)}`} />
          <p>
            <code data-testid="secret">{made.secret}</code>
          </p>
          <Field label="Code" value={code} onValue={setCode} inputMode="numeric" autoComplete="one-time-code" />
        </>
      ) : null}
      {problem ? <ProblemNote problem={problem} effect="Nothing was changed." /> : null}
      <Button type="submit" kind="primary" disabled={!/^\d{6}$/.test(code.trim())}>Confirm</Button>
    </form>
  );
}

export interface RecoveryCodesProps {
  readonly codes: readonly string[];
  readonly onKept: () => void;
}

/** Codes for the day that every factor is lost; the page forgets them once they are kept. */
export function RecoveryCodes({ codes, onKept }: RecoveryCodesProps) {
  return (
    <div className="stack">
      <p>Keep these recovery codes; each works once, and they are shown this once:</p>
      <pre>{codes.join("\n")}</pre>
      <Button kind="primary" onPress={onKept}>They are kept: go on</Button>
    </div>
  );
}
