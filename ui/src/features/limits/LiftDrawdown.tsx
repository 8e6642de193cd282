import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Panel } from "@/components/Panel";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { Guarded } from "@/session/Guarded";

type AccountFigures = components["schemas"]["AccountFigures"];
type Answered = components["schemas"]["Answered"];

export interface LiftDrawdownProps {
  readonly account: AccountFigures;
}

/** Ask that the halt of the total drawdown is lifted; nothing is shown while none stands. */
export function LiftDrawdown({ account }: LiftDrawdownProps) {
  const name = account.account;
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const command = useCommand<Answered>({
    form: `lift-drawdown/${name}`,
    send: (key, signal) =>
      brought(client.POST("/api/v1/accounts/{account}/drawdown/lift", { params: { path: { account: name }, header: { "Idempotency-Key": key } }, body: { reason: reason.trim() }, signal }), key),
    isRecorded: (answer) => Boolean(answer.approval),
  });
  if (!account.halts.some((halt) => halt.kind === "total_drawdown")) return null;
  return (
    <Panel title="Halt of the total drawdown" stack>
      <p>{name} has lost as much as it may from its best; it takes no entries until two people have looked into it.</p>
      <Guarded right="drawdown.lift" account={name}>
        <CommandForm command={command} danger ready={reason.trim().length >= 3 && isConfirmed(name, typed)} action={`Ask to lift the drawdown halt of ${name}`} recorded="Asked for: another person approves it under Approvals.">
          <Field label="Reason" value={reason} onValue={setReason} required />
          <TypedConfirmation word={name} why="The best value so far is forgotten: losses are counted from now." value={typed} onValue={setTyped} />
        </CommandForm>
      </Guarded>
    </Panel>
  );
}
