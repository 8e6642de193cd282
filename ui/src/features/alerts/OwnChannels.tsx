import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { Button } from "@/components/Button";
import { Choice } from "@/components/Choice";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { useCommand } from "@/commands/useCommand";

import { channels } from "./queries";

type Kind = components["schemas"]["ChannelKind"];
type Severity = components["schemas"]["Severity"];

const KINDS: readonly { readonly value: Kind; readonly label: string; readonly address: string }[] = [
  { value: "email", label: "E-mail", address: "anna@example.org" },
  { value: "sms", label: "Text message", address: "+15550123456" },
  { value: "webhook", label: "Webhook", address: "https://…" },
  { value: "chat", label: "Chat", address: "the chat's id, or @channel" },
];
const SEVERITIES = [
  { value: "information", label: "everything" },
  { value: "warning", label: "warnings and what is critical" },
  { value: "critical", label: "only what is critical" },
];

/** How one is told oneself: channels, what comes over each, and a test of all of them. */
export function OwnChannels() {
  const queries = useQueryClient();
  const own = useQuery(channels);
  async function remove(channel: string) {
    await brought(client.DELETE("/api/v1/me/channels/{channel}", { params: { path: { channel } } }));
    await queries.invalidateQueries({ queryKey: channels.queryKey });
  }
  const attempt = useCommand({
    form: "try-channels",
    send: (key, signal) => brought(client.POST("/api/v1/me/channels/try", { params: { header: { "Idempotency-Key": key } }, signal }), key),
    isRecorded: () => true,
  });
  return (
    <QueryState query={own} what="your channels">
      {(found) => (
        <>
          <Rows
            caption="Your channels"
            rows={found.channels}
            keyOf={(row) => row.channel_id}
            empty="You are told nothing: add a channel."
            columns={[
              { name: "Channel", cell: (row) => <>{row.label} <small>{row.kind}</small></> },
              { name: "Address", cell: (row) => row.address },
              { name: "From", cell: (row) => row.minimum },
              { name: "Events", cell: (row) => (row.events.includes("*") ? "all" : row.events.join(", ")) },
              { name: "Remove", cell: (row) => <Button kind="quiet" onPress={() => void remove(row.channel_id)}>Remove {row.label}</Button> },
            ]}
          />
          {found.channels.length > 0 ? (
            <section className="panel" aria-label="Test of your channels">
              <CommandForm command={attempt} ready action="Send me a test" recorded="On its way; failures show above." />
            </section>
          ) : null}
          <AddChannel unavailable={found.unavailable} />
        </>
      )}
    </QueryState>
  );
}

interface AddChannelProps {
  /** Kinds that nothing is set up for, with what is missing. */
  readonly unavailable: Readonly<Record<string, string>>;
}

function AddChannel({ unavailable }: AddChannelProps) {
  const queries = useQueryClient();
  const [kind, setKind] = useState<Kind>("webhook");
  const [label, setLabel] = useState("");
  const [address, setAddress] = useState("");
  const [minimum, setMinimum] = useState<Severity>("warning");
  const [events, setEvents] = useState("");
  const chosen = events.split(/[\s,]+/).filter(Boolean);
  const missing = unavailable[kind];
  const command = useCommand({
    form: "add-channel",
    send: async (key, signal) => {
      const body = { kind, label: label.trim(), address: address.trim(), minimum, events: chosen.length > 0 ? chosen : ["*"] };
      const added = await brought(client.POST("/api/v1/me/channels", { params: { header: { "Idempotency-Key": key } }, body, signal }), key);
      await queries.invalidateQueries({ queryKey: channels.queryKey });
      return added;
    },
    isRecorded: () => true,
  });
  return (
    <section className="panel" aria-labelledby="add-channel">
      <h2 id="add-channel">Add a channel</h2>
      <CommandForm command={command} ready={label.trim() !== "" && address.trim() !== "" && !missing} action="Add it" recorded="Added.">
        <Choice label="Kind" value={kind} options={KINDS} onValue={(value) => setKind(value as Kind)} />
        {missing ? <p className="lacks-right" role="note">{missing}</p> : null}
        <Field label="Name" value={label} onValue={setLabel} />
        <Field label="Address" value={address} onValue={setAddress} hint={KINDS.find((one) => one.value === kind)?.address ?? ""} />
        <Choice label="Tell me" value={minimum} options={SEVERITIES} onValue={(value) => setMinimum(value as Severity)} />
        <Field label="Only these events" value={events} onValue={setEvents} hint="names of actions or alerts; empty: all" />
      </CommandForm>
      {command.answer?.webhook_key ? (
        <p role="status">
          The key by which you verify what comes; it is shown this once: <code>{command.answer.webhook_key}</code>
        </p>
      ) : null}
    </section>
  );
}
