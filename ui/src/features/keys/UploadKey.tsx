import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Choice } from "@/components/Choice";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";

export type KeyView = components["schemas"]["KeyView"];
type Mode = components["schemas"]["Mode"];

const MODES: readonly Mode[] = ["live", "simulated"];

export interface UploadKeyProps {
  readonly account: string;
  readonly known: readonly KeyView[];
}

/** A key comes in once: it is validated with the exchange before it counts, and never shown again. */
export function UploadKey({ account, known }: UploadKeyProps) {
  const queries = useQueryClient();
  const [mode, setMode] = useState<string>("live");
  const [publicKey, setPublicKey] = useState("");
  const [privateKey, setPrivateKey] = useState("");
  const before = known.find((row) => row.mode === mode && row.state === "in_use");
  const command = useCommand<KeyView>({
    form: `upload-key/${account}`,
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/accounts/{account}/keys", {
          params: { path: { account }, header: { "Idempotency-Key": key } },
          body: { mode: mode as Mode, key: publicKey.trim(), private_key: privateKey.trim() },
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => known.some((row) => row.mode === answer.mode && row.number === answer.number),
  });
  const { step } = command;
  useEffect(() => {
    if (step !== "accepted") return;
    // Taken: the browser needs to know it no longer.
    setPublicKey("");
    setPrivateKey("");
    void queries.invalidateQueries({ queryKey: ["account", account, "keys"] });
  }, [step, queries, account]);
  return (
    <>
      <CommandForm
        command={command}
        action={before ? `Rotate the ${mode} key …${before.ending} of ${account}` : `Store a ${mode} key for ${account}`}
        recorded="Validated and stored."
        ready={publicKey.trim() !== "" && privateKey.trim() !== ""}
        refusedEffect="Nothing was stored; trading goes on with the key before."
      >
        <Choice label="For" value={mode} onValue={setMode} options={MODES.map((value) => ({ value, label: value }))} />
        <Field label="API key" type="password" value={publicKey} onValue={setPublicKey} autoComplete="off" required />
        <Field
          label="Private key"
          type="password"
          hint="with the rights to query and to trade, and none to withdraw"
          value={privateKey}
          onValue={setPrivateKey}
          autoComplete="off"
          required
        />
      </CommandForm>
      {command.answer ? (
        <p className="banner" role="status">
          The exchange knows the key …{command.answer.ending}; it may {command.answer.permissions.map((one) => one.replaceAll("_", " ")).join(", ")}.
        </p>
      ) : null}
    </>
  );
}
