import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { QueryState } from "@/components/QueryState";
import { useCommand } from "@/commands/useCommand";
import { localZone } from "@/format/time";

import { channels } from "./queries";

const HOUR = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;

interface Hours {
  readonly begins: string;
  readonly ends: string;
  readonly zone: string;
}

/** Hours in which one is told only what is critical. */
export function QuietHours() {
  const own = useQuery(channels);
  return (
    <QueryState query={own} what="your quiet hours">
      {(found) => <HoursForm hours={found.quiet_hours ?? { begins: "00:00", ends: "00:00", zone: localZone() }} />}
    </QueryState>
  );
}

function HoursForm({ hours }: { readonly hours: Hours }) {
  const queries = useQueryClient();
  const [begins, setBegins] = useState(hours.begins);
  const [ends, setEnds] = useState(hours.ends);
  const [zone, setZone] = useState(hours.zone);
  const command = useCommand({
    form: "quiet-hours",
    send: async (key, signal) => {
      const done = await brought(client.PUT("/api/v1/me/channels/quiet-hours", { body: { begins, ends, zone: zone.trim() }, signal }), key);
      await queries.invalidateQueries({ queryKey: channels.queryKey });
      return done;
    },
    isRecorded: () => true,
  });
  return (
    <section className="panel" aria-labelledby="quiet-hours">
      <h2 id="quiet-hours">Your quiet hours</h2>
      <p className="panel-note">Only what is critical reaches you then; the rest comes when they end. The same hour twice: there are none.</p>
      <CommandForm command={command} ready={HOUR.test(begins) && HOUR.test(ends) && zone.trim() !== ""} action="Set them" recorded="Set.">
        <Field label="From" value={begins} onValue={setBegins} hint="HH:MM" error={HOUR.test(begins) ? undefined : "HH:MM"} />
        <Field label="Until" value={ends} onValue={setEnds} hint="HH:MM" error={HOUR.test(ends) ? undefined : "HH:MM"} />
        <Field label="Time zone" value={zone} onValue={setZone} hint="such as Europe/Berlin" />
      </CommandForm>
    </section>
  );
}
