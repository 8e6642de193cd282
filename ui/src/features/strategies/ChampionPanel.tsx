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

const drift = queryOptions({
  queryKey: ["learning", "drift"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/learning/drift", { signal })),
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
            <DriftLine />
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

/** How far features are from what the champion learnt: a reason to train anew, never to withdraw. */
function DriftLine() {
  const found = useQuery(drift);
  return (
    <QueryState query={found} what="the drift">
      {({ unknown, features, vectors, measured_at: at }) => {
        if (unknown !== "") return <p className="figure-unknown">Drift of its features: – <small className="reason">{unknown}</small></p>;
        const moved = features.filter((one) => one.moved);
        const shown = moved.length > 0 ? moved : features.slice(0, 1);
        return (
          <p className={moved.length > 0 ? "warn" : undefined}>
            Drift of its features: {moved.length} of {features.length} have moved ({vectors} decisions seen, <Moment at={at} />).{" "}
            {shown.map((one) => `${one.feature.replaceAll("_", " ")} ${one.index.toFixed(2)}, at most ${one.limit.toFixed(2)} by chance`).join("; ")}
          </p>
        );
      }}
    </QueryState>
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
