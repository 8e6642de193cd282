import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { useCommand } from "@/commands/useCommand";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

export const NO_TRADE = "no-trade";

const champion = queryOptions({
  queryKey: ["learning", "champion"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/learning/champion", { signal })),
});

/** Which learned model is in force, since when and why, and the way back to the one before. */
export function ChampionPanel() {
  const found = useQuery(champion);
  return (
    <section className="panel stack">
      <h2>Champion</h2>
      <QueryState query={found} what="the champion">
        {(data) => (
          <>
            <p>{data.model === NO_TRADE ? <><strong>No learned model</strong>: the rules above trade by themselves.</> : <>Model <code>{data.model}</code> judges entries.</>}</p>
            <dl className="facts wide-facts">
              <div><dt>Since</dt><dd><Moment at={data.changed_at} /></dd></div>
              <div><dt>By</dt><dd><Author id={data.changed_by} /></dd></div>
              <div><dt>Because</dt><dd>{data.reason}</dd></div>
              <div><dt>Before it</dt><dd>{data.previous === NO_TRADE ? "no learned model" : <code>{data.previous}</code>}</dd></div>
            </dl>
            {data.model === NO_TRADE ? (
              <p className="panel-note">There is nothing to roll back. A challenger becomes champion when it has passed every test of the gate and another person has approved it (page Approvals).</p>
            ) : (
              <Guarded right="platform.settings">
                <RollBack model={data.model} number={data.number} previous={data.previous} />
              </Guarded>
            )}
          </>
        )}
      </QueryState>
    </section>
  );
}

interface RollBackProps {
  readonly model: string;
  readonly number: number;
  readonly previous: string;
}

function RollBack({ model, number, previous }: RollBackProps) {
  const [reason, setReason] = useState("");
  const command = useCommand<{ number: number }>({
    form: `roll-back/${number}`,
    send: (key, signal) =>
      brought(client.POST("/api/v1/learning/champion/rollback", { params: { header: { "Idempotency-Key": key } }, body: { reason: reason.trim() }, signal }), key),
    isRecorded: (answer) => answer.number > number,
  });
  return (
    <CommandForm
      command={command} danger action={`Withdraw ${model}: ${previous === NO_TRADE ? "no learned model" : previous} from now on`}
      recorded="It is withdrawn." ready={reason.trim().length >= 3} refusedEffect={`None: ${model} stays in force.`}
    >
      <Field label="Reason" value={reason} onValue={setReason} required />
    </CommandForm>
  );
}
