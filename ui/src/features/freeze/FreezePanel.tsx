import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";
import { useSession } from "@/session/session";

import { freezeState } from "./queries";

type FreezeState = components["schemas"]["FreezeState"];
type FreezeBreak = components["schemas"]["FreezeBreak"];

/** Whether changes are frozen, why, and what was changed in spite of it until it is reviewed. */
export function FreezePanel() {
  const state = useQuery(freezeState);
  return (
    <QueryState query={state} what="the change freeze">
      {(data) => (
        <Panel title="Change freeze" stack>
          {data.standing.length === 0 ? <p className="panel-note">Changes are not frozen.</p> : null}
          {data.standing.map((one) => (
            <article key={`${one.number ?? one.reason}`} className="stack">
              <h3>⚠ Frozen: {one.reason}</h3>
              <p>
                {one.by ? <>By <Author id={one.by} />, </> : null}since <Moment at={one.since} unknown="always" />
                {one.until ? <> until <Moment at={one.until} /></> : null}. Stopping, closing and tightening go on.
              </p>
              {one.number !== null ? <EndFreeze number={one.number} state={data} /> : null}
            </article>
          ))}
          {data.windows.length > 0 ? <p className="panel-note">Windows: {data.windows.join("; ")} (UTC)</p> : null}
          {data.breaks.filter((one) => one.reviewed_at === null).map((one) => (
            <ReviewBreak key={one.number} broken={one} state={data} />
          ))}
          {data.frozen ? null : <BeginFreeze state={data} />}
        </Panel>
      )}
    </QueryState>
  );
}

function BeginFreeze({ state }: { readonly state: FreezeState }) {
  const [reason, setReason] = useState("");
  const command = useCommand({
    form: "freeze",
    send: (key, signal) => brought(client.POST("/api/v1/freeze", { params: { header: { "Idempotency-Key": key } }, body: { reason: reason.trim() }, signal }), key),
    isRecorded: () => state.frozen,
  });
  return (
    <details>
      <summary>Freeze changes</summary>
      <Guarded right="freeze.begin">
        <CommandForm command={command} ready={reason.trim().length >= 3} action="Freeze changes now" recorded="Changes are frozen.">
          <Field label="Reason" value={reason} onValue={setReason} required />
        </CommandForm>
      </Guarded>
    </details>
  );
}

function EndFreeze({ number, state }: { readonly number: number; readonly state: FreezeState }) {
  const [reason, setReason] = useState("");
  const command = useCommand({
    form: `freeze-end/${number}`,
    send: (key, signal) => brought(client.POST("/api/v1/freeze/{number}/end", { params: { path: { number }, header: { "Idempotency-Key": key } }, body: { reason: reason.trim() }, signal }), key),
    isRecorded: () => !state.standing.some((one) => one.number === number),
  });
  return (
    <Guarded right="freeze.end">
      <CommandForm command={command} danger ready={reason.trim().length >= 3} action={`End freeze ${number}`} recorded="Ended.">
        <Field label="Reason" value={reason} onValue={setReason} required />
      </CommandForm>
    </Guarded>
  );
}

function ReviewBreak({ broken, state }: { readonly broken: FreezeBreak; readonly state: FreezeState }) {
  const { person } = useSession();
  const [reason, setReason] = useState("");
  const command = useCommand({
    form: `freeze-review/${broken.number}`,
    send: (key, signal) => brought(client.POST("/api/v1/freeze/breaks/{number}/review", { params: { path: { number: broken.number }, header: { "Idempotency-Key": key } }, body: { reason: reason.trim() }, signal }), key),
    isRecorded: () => state.breaks.some((one) => one.number === broken.number && one.reviewed_at !== null),
  });
  return (
    <article className="stack">
      <h3 className="alarm">▲ Done in spite of a freeze: {broken.operation.replaceAll("_", " ")}</h3>
      <p>By <Author id={broken.broken_by} />, <Moment at={broken.broken_at} />: {broken.reason} <small>{broken.path}; frozen: {broken.held_by}</small></p>
      {broken.broken_by === person.user ? (
        <p role="note">Another person reviews it.</p>
      ) : (
        <Guarded right="freeze.review">
          <CommandForm command={command} ready={reason.trim().length >= 3} action={`Review break ${broken.number}`} recorded="Reviewed.">
            <Field label="What you found" value={reason} onValue={setReason} required />
          </CommandForm>
        </Guarded>
      )}
    </article>
  );
}
