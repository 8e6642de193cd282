import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { CommandForm } from "@/components/CommandForm";
import { Choice } from "@/components/Choice";
import { Field } from "@/components/Field";
import { controlRoom } from "@/features/overview/queries";
import { useCommand } from "@/commands/useCommand";

type LinkMade = components["schemas"]["LinkMade"];
type PersonView = components["schemas"]["PersonView"];
type Role = components["schemas"]["Role"];

const ROLES: readonly Role[] = ["director", "operator", "auditor", "platform_administrator"];

export interface InvitePersonProps {
  readonly known: readonly PersonView[];
}

/** A new person: a link, shown this once, by which they choose a password and a second factor. */
export function InvitePerson({ known }: InvitePersonProps) {
  const room = useQuery(controlRoom);
  const [name, setName] = useState("");
  const [display, setDisplay] = useState("");
  const [role, setRole] = useState<string>("operator");
  const [account, setAccount] = useState("*");
  const command = useCommand<LinkMade>({
    form: "invite",
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/people", {
          headers: { "Idempotency-Key": key },
          body: { name: name.trim(), display_name: display.trim(), grants: [{ role: role as Role, account }] },
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => known.some((person) => person.user === answer.user),
  });
  const accounts = ["*", ...(room.data?.accounts.map((one) => one.account) ?? [])];
  return (
    <>
      <CommandForm
        command={command}
        action={`Invite ${name.trim() || "…"} as ${role.replaceAll("_", " ")} of ${account === "*" ? "all accounts" : account}`}
        recorded="Invited."
        ready={/^[a-z0-9._@-]{2,63}$/.test(name.trim()) && display.trim() !== ""}
      >
        <Field label="Name" hint="what they sign in with: small letters, digits and . _ @ -" value={name} onValue={setName} required />
        <Field label="Shown as" value={display} onValue={setDisplay} required />
        <Choice label="Role" value={role} onValue={setRole} options={ROLES.map((value) => ({ value, label: value.replaceAll("_", " ") }))} />
        <Choice label="Account" value={account} onValue={setAccount} options={accounts.map((value) => ({ value, label: value === "*" ? "all accounts" : value }))} />
      </CommandForm>
      {command.answer ? (
        <p className="banner banner-warn">
          The link, shown this once and good for a day; give it to the person by a way that you trust: <code>{command.answer.link}</code>
        </p>
      ) : null}
    </>
  );
}
