import { useQuery } from "@tanstack/react-query";

import { brought, client, Problem } from "@/api/client";
import { Dialog } from "@/components/Dialog";
import { ProblemNote } from "@/components/ProblemNote";

import { Author } from "./Author";
import { FactorForm } from "./FactorForm";
import { useWantedStepUp, type WantedStepUp } from "./stepUp";

/** Ask to confirm the one action that waits. */
export function StepUpDialog() {
  const wanted = useWantedStepUp();
  return wanted ? <Confirm wanted={wanted} key={wanted.path + wanted.operation} /> : null;
}

function Confirm({ wanted }: { readonly wanted: WantedStepUp }) {
  const asked = useQuery({
    queryKey: ["step-up", wanted.operation, wanted.path, JSON.stringify(wanted.body)],
    queryFn: () => brought(client.POST("/api/v1/me/step-ups", { body: { operation: wanted.operation, path: wanted.path, body: wanted.body } })),
    gcTime: 0,
    retry: false,
  });
  return (
    <Dialog title="Confirm" open danger onClose={wanted.cancel}>
      <p>Confirm this one action with your second factor:</p>
      {asked.error instanceof Problem ? <ProblemNote problem={asked.error} effect="Nothing was done." /> : null}
      {asked.data ? (
        <>
          <dl className="facts step-up">
            <div><dt>Action</dt><dd>{wanted.operation.replaceAll("_", " ")}</dd></div>
            {Object.entries(asked.data.content).map(([name, value]) => (
              <div key={name}><dt>{name.replaceAll("_", " ")}</dt><dd>{name.endsWith("by") ? <Author id={value} /> : value || "–"}</dd></div>
            ))}
          </dl>
          <FactorForm
            passkey={asked.data.passkey}
            recovery={false}
            action="Confirm"
            onShown={async (shown) => {
              const confirmed = await brought(
                client.POST("/api/v1/me/step-ups/{step_up}", {
                  params: { path: { step_up: asked.data.step_up } },
                  body: { ...(shown.code ? { code: shown.code } : {}), ...(shown.credential ? { credential: shown.credential } : {}) },
                }),
              );
              wanted.confirm(confirmed.reference);
            }}
          />
        </>
      ) : null}
    </Dialog>
  );
}
