import { useState } from "react";

import { brought, client } from "@/api/client";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Panel } from "@/components/Panel";

/** Another password; every other session of the person ends. */
export function OwnPassword() {
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const command = useCommand({
    form: "own-password",
    send: async () => {
      const done = await brought(client.POST("/api/v1/me/password", { body: { current, password: fresh } }));
      for (const forget of [setCurrent, setFresh, setAgain]) forget("");
      return done;
    },
    isRecorded: () => true,
  });
  const differs = again !== "" && again !== fresh;
  return (
    <Panel title="Your password">
      <details>
        <summary>Change it</summary>
        <CommandForm
          command={command}
          action="Set the new password"
          recorded="It counts from now on; your other sessions have ended."
          ready={current !== "" && fresh !== "" && again === fresh}
          refusedEffect="None: the password is the one before."
        >
          <Field label="Password now" type="password" autoComplete="current-password" value={current} onValue={setCurrent} required />
          <Field label="New password" type="password" autoComplete="new-password" hint="what is easily guessed is refused, and why is said" value={fresh} onValue={setFresh} required />
          <Field label="New password again" type="password" autoComplete="new-password" value={again} onValue={setAgain} error={differs ? "Not the same" : undefined} required />
        </CommandForm>
      </details>
    </Panel>
  );
}
