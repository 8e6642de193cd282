import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { brought, client } from "@/api/client";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandForm } from "@/components/CommandForm";
import { Dialog } from "@/components/Dialog";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { Guarded } from "@/session/Guarded";

import type { KeyView } from "./UploadKey";

export interface KeyActionsProps {
  readonly row: KeyView;
}

/** Validate a stored key now, or forget it. */
export function KeyActions({ row }: KeyActionsProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" onPress={() => setOpen(true)}>
        Check or remove …
      </Button>
      {open ? (
        <Dialog title={`${row.mode} key …${row.ending}`} open onClose={() => setOpen(false)}>
          <Guarded right="key.manage" account={row.account}>
            <Actions row={row} />
          </Guarded>
        </Dialog>
      ) : null}
    </>
  );
}

function Actions({ row }: KeyActionsProps) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const path = { account: row.account, mode: row.mode };
  const check = useCommand<KeyView>({
    form: `check-key/${row.account}/${row.mode}`,
    send: (key, signal) => brought(client.POST("/api/v1/accounts/{account}/keys/{mode}/check", { params: { path, header: { "Idempotency-Key": key } }, signal }), key),
    isRecorded: () => true,
  });
  const remove = useCommand<KeyView>({
    form: `remove-key/${row.account}/${row.mode}`,
    send: (key, signal) => brought(client.POST("/api/v1/accounts/{account}/keys/{mode}/remove", { params: { path, header: { "Idempotency-Key": key } }, signal }), key),
    isRecorded: () => true,
  });
  const done = `${check.step} ${remove.step}`;
  useEffect(() => {
    if (done.includes("recorded")) void queries.invalidateQueries({ queryKey: ["account", row.account, "keys"] });
  }, [done, queries, row.account]);
  return (
    <div className="stack">
      <CommandForm command={check} ready action={`Ask the exchange about …${row.ending} now`} recorded="Asked." />
      {check.answer ? (
        <p className={check.answer.validation === "ok" ? "banner" : "banner banner-warn"} role="status">
          {check.answer.validation === "ok" ? "The key is fit." : `The key is not fit: ${check.answer.validation.replaceAll("-", " ")}.`}
        </p>
      ) : null}
      <CommandForm command={remove} danger ready={isConfirmed(row.ending, typed)} action={`Forget the ${row.mode} key …${row.ending}`} recorded="Forgotten here. Delete it at Kraken as well.">
        <TypedConfirmation word={row.ending} why={`${row.account} cannot trade ${row.mode} without a key.`} value={typed} onValue={setTyped} />
      </CommandForm>
    </div>
  );
}
