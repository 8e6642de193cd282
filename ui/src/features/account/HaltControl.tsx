import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandStatus } from "@/components/CommandStatus";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { Guarded } from "@/session/Guarded";

type AccountFigures = components["schemas"]["AccountFigures"];

export interface HaltControlProps {
  readonly account: AccountFigures;
}

/** Why entries are stopped, and stopping or resuming them by hand. */
export function HaltControl({ account }: HaltControlProps) {
  const [open, setOpen] = useState(false);
  const byHand = account.halts.some((halt) => halt.kind === "requested");
  return (
    <div className="stack halts">
      {account.halts.length > 0 ? (
        <ul className="states">
          {account.halts.map((halt) => (
            <li key={halt.kind + halt.since} className="alarm">
              <span aria-hidden="true">■</span> {halt.kind}: {halt.reason} <small>since <Moment at={halt.since} /></small>
            </li>
          ))}
        </ul>
      ) : null}
      <Button onPress={() => setOpen(true)}>{byHand ? `Resume ${account.account}` : `Halt ${account.account}`}</Button>
      {open ? <HaltDialog account={account.account} halted={byHand} onClose={() => setOpen(false)} /> : null}
    </div>
  );
}

function HaltDialog({ account, halted, onClose }: { readonly account: string; readonly halted: boolean; readonly onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [asked] = useState(halted);
  const command = useCommand({
    form: `${asked ? "resume" : "halt"}/${account}`,
    send: (key, signal) => {
      const params = { path: { account }, header: { "Idempotency-Key": key } };
      return brought(
        asked
          ? client.POST("/api/v1/accounts/{account}/resume", { params, signal })
          : client.POST("/api/v1/accounts/{account}/halt", { params, body: { reason: reason.trim() }, signal }),
        key,
      );
    },
    isRecorded: () => halted !== asked,
  });
  return (
    <Dialog title={asked ? `Resume ${account}` : `Halt ${account}`} open onClose={onClose}>
      <Guarded right={asked ? "account.resume" : "account.halt"} account={account}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            command.run();
          }}
        >
          <p>{asked ? "Entries are allowed again." : "No entry is opened any more; positions stay under their stops."}</p>
          {asked ? null : <Field label="Reason" value={reason} onValue={setReason} required />}
          <CommandStatus command={command} recorded={asked ? "Resumed." : "Halted."} />
          <Button type="submit" kind="primary" busy={command.step === "sending" || command.step === "asking"} disabled={(!asked && reason.trim().length < 3) || command.step === "recorded" || command.step === "accepted"}>
            {asked ? `Resume ${account}` : `Halt ${account}`}
          </Button>
        </form>
      </Guarded>
    </Dialog>
  );
}
