import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { useCommand } from "@/commands/useCommand";
import { ageText } from "@/format/time";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

type Training = components["schemas"]["TrainingView"];

const trainings = queryOptions({
  queryKey: ["learning", "trainings"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/learning/trainings", { params: { query: { limit: 20 } }, signal })),
});

/** Trainings: started here, with their progress and what the gate said of each challenger. */
export function TrainingPanel() {
  const found = useQuery(trainings);
  return (
    <section className="panel stack">
      <h2>Training and challengers</h2>
      <QueryState query={found} what="the trainings">
        {(rows) => (
          <>
            {rows.length === 0 ? <p className="panel-note">Nothing was trained yet.</p> : null}
            <ul className="states">
              {rows.map((row) => (
                <li key={row.run_id}>
                  <TrainingLine training={row} />
                  {canBeCancelled(row) ? (
                    <Guarded right="platform.settings">
                      <CancelTraining run={row.run_id} />
                    </Guarded>
                  ) : null}
                </li>
              ))}
            </ul>
            <Guarded right="platform.settings">
              <StartTraining known={rows.map((row) => row.run_id)} />
            </Guarded>
          </>
        )}
      </QueryState>
    </section>
  );
}

function TrainingLine({ training }: { readonly training: Training }) {
  const { passed, finished, planned, seconds_left: left, cancelled_by: cancelledBy } = training;
  return (
    <>
      <code>{training.run_id.slice(0, 8)}</code> by <Author id={training.requested_by} />, <Moment at={training.started_at} />: {training.reason || "no reason given"}
      <br />
      {cancelledBy !== null ? (
        <span className="quiet">cancelled by <Author id={cancelledBy} />, after {finished} of {planned} trials</span>
      ) : passed === null ? (
        <span role="status">
          <progress value={finished} max={Math.max(planned, 1)} aria-label={`${finished} of ${planned} trials`} /> {finished} of {planned} trials
          {left === null ? "" : `, about ${ageText(left * 1000)} left`}
        </span>
      ) : passed ? (
        <span className="good"><span aria-hidden="true">●</span> {training.candidate} passed every test: <Link to="/approvals">it waits for, or had, another person&apos;s approval</Link>{shadowText(training.shadow)}</span>
      ) : (
        <span className="alarm"><span aria-hidden="true">▲</span> refused by the gate: {training.reasons.map((one) => one.replaceAll("_", " ")).join(", ")}</span>
      )}
    </>
  );
}

function canBeCancelled({ passed, shadow, cancelled_by: by }: Training) {
  const decidesInShadow = passed === true && shadow !== null && shadow.reason === null;
  return by === null && (passed === null || decidesInShadow);
}

function shadowText(shadow: Training["shadow"]) {
  if (shadow === null) return "";
  const counted = `${shadow.decisions} of ${shadow.wanted} decisions in shadow`;
  return shadow.reason ? `; ${counted}: ${shadow.reason}` : `; ${counted}`;
}

function CancelTraining({ run }: { readonly run: string }) {
  const command = useCommand<{ run_id: string }>({
    form: `cancel-training/${run}`,
    send: (key, signal) => brought(client.POST("/api/v1/learning/trainings/{run}/cancel", { params: { path: { run }, header: { "Idempotency-Key": key } }, signal }), key),
    // Once it is recorded, the line above has no button any more.
    isRecorded: () => false,
  });
  return <CommandForm command={command} action="Cancel this training" recorded="Cancelled." ready refusedEffect="None: the training goes on, or had ended." />;
}

function StartTraining({ known }: { readonly known: readonly string[] }) {
  const [reason, setReason] = useState("");
  const command = useCommand<{ run_id: string }>({
    form: "training",
    send: (key, signal) => brought(client.POST("/api/v1/learning/trainings", { params: { header: { "Idempotency-Key": key } }, body: { reason: reason.trim() }, signal }), key),
    isRecorded: (answer) => known.includes(answer.run_id),
  });
  return (
    <CommandForm command={command} action="Start a training" recorded="It is in the list above." ready={reason.trim().length >= 3} refusedEffect="None: no training was started.">
      <Field label="Reason" value={reason} onValue={setReason} required hint="What is found trades only by the gate and another person's approval." />
    </CommandForm>
  );
}
