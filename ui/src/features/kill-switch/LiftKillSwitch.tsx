import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { Moment } from "@/components/Moment";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

type KillSwitch = components["schemas"]["KillSwitch"];

export interface LiftKillSwitchProps {
  readonly engagement: KillSwitch;
  readonly switches: readonly KillSwitch[];
}

/** Ask that entries are taken again: with a reason, and the number typed. Another person approves. */
export function LiftKillSwitch({ engagement, switches }: LiftKillSwitchProps) {
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const word = String(engagement.number);
  const command = useCommand({
    form: `lift/${engagement.number}`,
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/kill-switch/{number}/lift", {
          params: { path: { number: engagement.number }, header: { "Idempotency-Key": key } },
          body: { reason: reason.trim() },
          signal,
        }),
        key,
      ),
    isRecorded: () => switches.some((row) => row.number === engagement.number && (row.lift_approval ?? null) !== null),
  });
  const asked = engagement.lift_requested_by ?? null;
  return (
    <details>
      <summary>Lift it</summary>
      {asked ? (
        <p role="note">
          <Author id={asked} /> has asked for it, <Moment at={engagement.lift_requested_at ?? null} unknown="at an unknown time" />: {engagement.lift_reason}. Another
          person, who has not engaged it either, decides under <Link to="/approvals">Approvals</Link>.
        </p>
      ) : null}
      <Guarded right="kill_switch.lift">
        <CommandForm
          command={command}
          danger
          action={`Ask to lift kill switch ${word} for ${engagement.accounts.join(", ")}`}
          recorded="Asked for: another person approves it under Approvals."
          ready={reason.trim().length >= 3 && isConfirmed(word, typed)}
        >
          <Field label="Reason" value={reason} onValue={setReason} required />
          <TypedConfirmation word={word} why="Entries are taken again as soon as another person has approved it." value={typed} onValue={setTyped} />
        </CommandForm>
      </Guarded>
    </details>
  );
}
