import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { Guarded } from "@/session/Guarded";

type KillSwitch = components["schemas"]["KillSwitch"];

export interface LiftKillSwitchProps {
  readonly engagement: KillSwitch;
  readonly switches: readonly KillSwitch[];
}

/** Let entries be taken again: with a reason, and the number typed. */
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
    isRecorded: () => switches.some((row) => row.number === engagement.number && row.lifted_at !== null),
  });
  return (
    <details>
      <summary>Lift it</summary>
      <Guarded right="kill_switch.lift">
        <CommandForm
          command={command}
          danger
          action={`Lift kill switch ${word} for ${engagement.accounts.join(", ")}`}
          recorded="Lifted."
          ready={reason.trim().length >= 3 && isConfirmed(word, typed)}
        >
          <Field label="Reason" value={reason} onValue={setReason} required />
          <TypedConfirmation word={word} why="Entries are taken again as soon as it is lifted." value={typed} onValue={setTyped} />
        </CommandForm>
      </Guarded>
    </details>
  );
}
