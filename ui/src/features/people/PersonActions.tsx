import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandForm } from "@/components/CommandForm";
import { Dialog } from "@/components/Dialog";
import { QueryState } from "@/components/QueryState";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { Guarded } from "@/session/Guarded";

import { SessionRows } from "./OwnSessions";
import { sessionsOf } from "./queries";

type PersonView = components["schemas"]["PersonView"];

export interface PersonActionsProps {
  readonly person: PersonView;
}

/** Dismiss somebody, or give them a new second factor: each confirmed by one's own. */
export function PersonActions({ person }: PersonActionsProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" onPress={() => setOpen(true)}>
        Change …
      </Button>
      {open ? (
        <Dialog title={person.display_name} open onClose={() => setOpen(false)}>
          <Guarded right="people.manage">
            <Actions person={person} />
            <Sessions person={person} />
          </Guarded>
        </Dialog>
      ) : null}
    </>
  );
}

function Sessions({ person }: PersonActionsProps) {
  const found = useQuery(sessionsOf(person.user_id));
  const path = (session: string) => ({ person: person.user_id, session });
  return (
    <QueryState query={found} what="their sessions">
      {(rows) => (
        <SessionRows
          caption={`Sessions of ${person.display_name}`}
          rows={rows}
          end={(session) => brought(client.DELETE("/api/v1/people/{person}/sessions/{session}", { params: { path: path(session) } }))}
        />
      )}
    </QueryState>
  );
}

function Actions({ person }: PersonActionsProps) {
  const [typed, setTyped] = useState("");
  const path = { person: person.user_id };
  const reset = useCommand<components["schemas"]["LinkMade"]>({
    form: `reset-factors/${person.user_id}`,
    send: (key, signal) => brought(client.POST("/api/v1/people/{person}/reset-factors", { params: { path }, headers: { "Idempotency-Key": key }, signal }), key),
    isRecorded: () => true,
  });
  const dismiss = useCommand({
    form: `dismiss/${person.user_id}`,
    send: (key, signal) => brought(client.DELETE("/api/v1/people/{person}", { params: { path }, headers: { "Idempotency-Key": key }, signal }), key),
    isRecorded: () => true,
  });
  return (
    <div className="stack">
      <CommandForm command={reset} ready action={`Have ${person.display_name} set up a new second factor`} recorded="The old factors count no more." />
      {reset.answer ? <p className="banner banner-warn">The link, shown this once: <code>{reset.answer.link}</code></p> : null}
      <CommandForm command={dismiss} danger ready={isConfirmed(person.name, typed)} action={`Dismiss ${person.display_name}`} recorded="They can do nothing any more; what they had asked for lapses.">
        <TypedConfirmation word={person.name} why="Every session and token of theirs ends at once." value={typed} onValue={setTyped} />
      </CommandForm>
    </div>
  );
}
