import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandForm } from "@/components/CommandForm";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { EnrolTotp, RecoveryCodes } from "@/session/EnrolTotp";
import { made } from "@/session/passkey";

import { factors } from "./queries";

type Adding = "authenticator" | "passkey" | "codes";

/** One's own second factors: added, removed, and the codes for the day that all are lost. */
export function OwnFactors() {
  const held = useQuery(factors);
  const queries = useQueryClient();
  const [adding, setAdding] = useState<Adding>();
  const done = () => {
    setAdding(undefined);
    void queries.invalidateQueries({ queryKey: ["people", "own-factors"] });
  };
  return (
    <QueryState query={held} what="your second factors">
      {(data) => (
        <>
          <Rows
            caption={`Your second factors; ${data.recovery_codes} recovery codes left`}
            rows={data.factors}
            keyOf={(row) => row.factor_id}
            empty="None."
            note={
              <p className="row">
                <Button onPress={() => setAdding("authenticator")}>Add an authenticator</Button>
                <Button onPress={() => setAdding("passkey")}>Add a passkey</Button>
                <Button onPress={() => setAdding("codes")}>New recovery codes</Button>
              </p>
            }
            columns={[
              { name: "Factor", cell: (row) => <>{row.label} <small>{row.kind}</small></> },
              { name: "Added", cell: (row) => <Moment at={row.created_at} /> },
              { name: "Used", cell: (row) => <Moment at={row.last_used_at} unknown="never" /> },
              { name: "Remove", cell: (row) => (data.factors.length > 1 ? <RemoveFactor factor={row.factor_id} label={row.label} onDone={done} /> : "the only one") },
            ]}
          />
          {adding === "authenticator" ? <AddAuthenticator onClose={done} /> : null}
          {adding === "passkey" ? <AddPasskey onClose={done} /> : null}
          {adding === "codes" ? <NewCodes onClose={done} /> : null}
        </>
      )}
    </QueryState>
  );
}

interface Closing {
  readonly onClose: () => void;
}

function AddAuthenticator({ onClose }: Closing) {
  const [label, setLabel] = useState("");
  const [named, setNamed] = useState("");
  return (
    <Dialog title="Add an authenticator" open onClose={onClose}>
      {named ? (
        <EnrolTotp further label={named} onDone={onClose} />
      ) : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setNamed(label.trim());
          }}
        >
          <Field label="Name of it" value={label} onValue={setLabel} hint="for example: phone of the office" required />
          <Button type="submit" kind="primary" disabled={label.trim() === ""}>Show its secret</Button>
        </form>
      )}
    </Dialog>
  );
}

function AddPasskey({ onClose }: Closing) {
  const [label, setLabel] = useState("");
  const command = useCommand({
    form: "add-passkey",
    send: async () => {
      const begun = await brought(client.POST("/api/v1/me/factors/passkey/begin"));
      return brought(client.POST("/api/v1/me/factors/passkey", { body: { label: label.trim(), credential: await made(begun.options) } }));
    },
    isRecorded: () => true,
  });
  const codes = command.answer?.recovery_codes ?? [];
  return (
    <Dialog title="Add a passkey" open onClose={onClose}>
      {codes.length > 0 ? (
        <RecoveryCodes codes={codes} onKept={onClose} />
      ) : (
        <CommandForm command={command} ready={label.trim() !== ""} action="Make a passkey here" recorded="It counts from now on.">
          <p>A passkey belongs to the name in the address bar: <code>{globalThis.location.hostname}</code>.</p>
          <Field label="Name of it" value={label} onValue={setLabel} hint="for example: laptop" required />
        </CommandForm>
      )}
    </Dialog>
  );
}

function NewCodes({ onClose }: Closing) {
  const command = useCommand({
    form: "recovery-codes",
    send: () => brought(client.POST("/api/v1/me/recovery-codes")),
    isRecorded: () => true,
  });
  return (
    <Dialog title="New recovery codes" open onClose={onClose}>
      {command.answer ? (
        <RecoveryCodes codes={command.answer.recovery_codes} onKept={onClose} />
      ) : (
        <CommandForm command={command} ready action="Make new codes" recorded="Made.">
          <p>The codes that you have count no more.</p>
        </CommandForm>
      )}
    </Dialog>
  );
}

function RemoveFactor({ factor, label, onDone }: { readonly factor: string; readonly label: string; readonly onDone: () => void }) {
  const [open, setOpen] = useState(false);
  const command = useCommand({
    form: `remove-factor/${factor}`,
    send: async () => {
      await brought(client.DELETE("/api/v1/me/factors/{factor}", { params: { path: { factor } } }));
      onDone();
      return true;
    },
    isRecorded: () => true,
  });
  return (
    <>
      <Button kind="quiet" onPress={() => setOpen(true)}>Remove …</Button>
      {open ? (
        <Dialog title={`Remove ${label}`} open onClose={() => setOpen(false)}>
          <CommandForm command={command} danger ready action={`Remove ${label}`} recorded="It counts no more." />
        </Dialog>
      ) : null}
    </>
  );
}
