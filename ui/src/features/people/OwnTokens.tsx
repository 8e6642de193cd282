import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { Choice } from "@/components/Choice";
import { CommandForm } from "@/components/CommandForm";
import { CommandStatus } from "@/components/CommandStatus";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { controlRoom } from "@/features/overview/queries";
import { allows, rightsTable } from "@/session/rights";
import { useSession } from "@/session/session";

import { tokens } from "./queries";

type TokenView = components["schemas"]["TokenView"];

/** API tokens for programs: each for some rights, some accounts and some days. */
export function OwnTokens() {
  const own = useQuery(tokens);
  return (
    <QueryState query={own} what="your tokens">
      {(rows) => (
        <Rows
          caption="Your API tokens"
          rows={rows.filter((row) => row.revoked_at === null)}
          keyOf={(row) => row.token_id}
          empty="None."
          note={<details><summary>Make one</summary><MakeToken known={rows} /></details>}
          columns={[
            { name: "Token", cell: (row) => row.label },
            { name: "May", cell: (row) => <>{row.scopes.join(", ")} <small>{row.accounts.includes("*") ? "all accounts" : row.accounts.join(", ")}</small></> },
            { name: "Until", cell: (row) => <Moment at={row.expires_at} /> },
            { name: "Used", cell: (row) => <Moment at={row.last_used_at} unknown="never" /> },
            { name: "Revoke", cell: (row) => <RevokeToken token={row.token_id} /> },
          ]}
        />
      )}
    </QueryState>
  );
}

function MakeToken({ known }: { readonly known: readonly TokenView[] }) {
  const { person } = useSession();
  const queries = useQueryClient();
  const room = useQuery(controlRoom);
  const table = useQuery(rightsTable);
  const [label, setLabel] = useState("");
  const [scopes, setScopes] = useState<readonly string[]>([]);
  const [account, setAccount] = useState("*");
  const [days, setDays] = useState("30");
  const wholeDays = /^\d{1,2}$/.test(days.trim()) ? Number(days) : 0;
  const command = useCommand({
    form: "make-token",
    send: async () => {
      const body = { label: label.trim(), scopes: [...scopes], accounts: [account], days: wholeDays };
      const made = await brought(client.POST("/api/v1/me/tokens", { body }));
      await queries.invalidateQueries({ queryKey: ["people", "own-tokens"] });
      return made;
    },
    isRecorded: (answer) => known.some((row) => row.token_id === answer.token_id),
  });
  const grantable = (table.data?.rights ?? []).filter((one) => one.tokens && allows(table.data!, person.grants, one.action));
  const accounts = ["*", ...(room.data?.accounts.map((one) => one.account) ?? [])];
  return (
    <>
      <CommandForm
        command={command}
        action={`Make the token ${label.trim() || "…"} for ${wholeDays || "…"} days`}
        recorded="Made."
        ready={label.trim() !== "" && scopes.length > 0 && wholeDays >= 1 && wholeDays <= 90}
      >
        <Field label="Name of it" value={label} onValue={setLabel} required />
        <fieldset className="field checks">
          <legend>What it may do</legend>
          {grantable.map((one) => (
            <label key={one.action} className="check">
              <input type="checkbox" checked={scopes.includes(one.action)} onChange={(event) => setScopes((now) => (event.target.checked ? [...now, one.action] : now.filter((name) => name !== one.action)))} />
              <code>{one.action}</code>
            </label>
          ))}
        </fieldset>
        <Choice label="Account" value={account} onValue={setAccount} options={accounts.map((value) => ({ value, label: value === "*" ? "all accounts" : value }))} />
        <Field label="Valid for" unit="days, 90 at most" inputMode="numeric" value={days} onValue={setDays} error={wholeDays >= 1 && wholeDays <= 90 ? undefined : "Whole days from 1 to 90"} />
      </CommandForm>
      {command.answer ? (
        <p className="banner banner-warn">
          The token, shown this once: <code>{command.answer.token}</code>
        </p>
      ) : null}
    </>
  );
}

function RevokeToken({ token }: { readonly token: string }) {
  const queries = useQueryClient();
  const command = useCommand({
    form: `revoke-token/${token}`,
    send: async () => {
      await brought(client.DELETE("/api/v1/me/tokens/{token}", { params: { path: { token } } }));
      await queries.invalidateQueries({ queryKey: ["people", "own-tokens"] });
      return true;
    },
    isRecorded: () => true,
  });
  return (
    <>
      <CommandStatus command={command} recorded="Revoked." />
      <Button kind="quiet" busy={command.step !== "idle" && command.step !== "refused"} onPress={command.run}>Revoke it</Button>
    </>
  );
}
