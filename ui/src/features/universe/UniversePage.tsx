import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client, Problem } from "@/api/client";
import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { useCommand } from "@/commands/useCommand";
import { Guarded } from "@/session/Guarded";
import { useSession } from "@/session/session";
import { Author } from "@/session/Author";

import { Proposal, UniverseVersions } from "./Proposal";

type Change = components["schemas"]["UniverseChangeView"];

const inForce = queryOptions({
  queryKey: ["universe", "now"],
  queryFn: async ({ signal }) => {
    try {
      return await brought(client.GET("/api/v1/universe", { signal }));
    } catch (error) {
      // None yet is no failure.
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  },
});
const changes = queryOptions({
  queryKey: ["universe", "changes"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/universe/changes", { signal })),
});

/** What may be traded, and changing that by two people. */
export function UniversePage() {
  const universe = useQuery(inForce);
  const asked = useQuery(changes);
  return (
    <Page title="Universe">
      <QueryState query={universe} what="the universe">
        {(data) => data === null ? <p className="panel-note">No universe has been set up yet: the first review of the market does that, within minutes of the first start.</p> : (
          <Rows
            caption={`Version ${data.version}: ${data.pairs.length} pairs`}
            rows={data.pairs}
            keyOf={(row) => row.symbol}
            empty="No pair is in it."
            note={<p className="panel-note">{data.reason}; by <Author id={data.author} />, approved by <Author id={data.approved_by} />, <Moment at={data.at} /></p>}
            columns={[
              { name: "Pair", cell: (row) => <strong>{row.symbol}</strong> },
              ...Object.keys(data.pairs[0] ?? {}).filter((name) => name !== "symbol").map((name) => ({
                name: name.replaceAll("_", " "),
                number: /minimum|decimals|tick|fee/.test(name),
                cell: (row: (typeof data.pairs)[number]) => <Value value={(row as unknown as Record<string, unknown>)[name]} />,
              })),
            ]}
          />
        )}
      </QueryState>
      <Proposal />
      <AskForChange known={universe.data?.pairs.map((pair) => pair.symbol) ?? []} changes={asked.data ?? []} />
      <QueryState query={asked} what="the changes">
        {(rows) => (
          <section className="cards wide" aria-label="Changes asked for">
            {rows.map((row) => (
              <ChangeCard key={row.number} change={row} changes={rows} />
            ))}
          </section>
        )}
      </QueryState>
      <UniverseVersions />
    </Page>
  );
}

function Value({ value }: { readonly value: unknown }) {
  if (value === null || value === undefined) return <span className="figure-unknown">–</span>;
  const text = String(value);
  return /^-?\d+(\.\d+)?$/.test(text) ? <Figure value={text} /> : <>{text}</>;
}

function AskForChange({ known, changes: asked }: { readonly known: readonly string[]; readonly changes: readonly Change[] }) {
  const [joins, setJoins] = useState("");
  const [leaves, setLeaves] = useState("");
  const [reason, setReason] = useState("");
  const list = (text: string) => text.split(",").map((word) => word.trim().toUpperCase()).filter(Boolean);
  const unknown = list(leaves).filter((symbol) => !known.includes(symbol));
  const command = useCommand<Change>({
    form: "universe-change",
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/universe/changes", {
          params: { header: { "Idempotency-Key": key } },
          body: { reason: reason.trim(), joins: list(joins), leaves: list(leaves) },
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => asked.some((row) => row.number === answer.number),
  });
  return (
    <section className="panel stack">
      <h2>Ask for a change</h2>
      <Guarded right="universe.request">
        <CommandForm
          command={command}
          action="Ask for the change"
          recorded="It waits for another person."
          ready={reason.trim().length >= 3 && list(joins).length + list(leaves).length > 0 && unknown.length === 0}
        >
          <Field label="Pairs that join" value={joins} onValue={setJoins} hint="divided by commas; each must be proposed by the rules" />
          <Field label="Pairs that leave" value={leaves} onValue={setLeaves} error={unknown.length > 0 ? `not in the universe: ${unknown.join(", ")}` : undefined} />
          <Field label="Reason" value={reason} onValue={setReason} required />
        </CommandForm>
      </Guarded>
    </section>
  );
}

function ChangeCard({ change, changes: all }: { readonly change: Change; readonly changes: readonly Change[] }) {
  const { person } = useSession();
  const own = change.author === person.user;
  const decided = all.some((row) => row.number === change.number && row.outcome !== "waiting");
  const params = (key: string) => ({ path: { number: change.number }, header: { "Idempotency-Key": key } });
  const approve = useCommand({
    form: `universe-approve/${change.number}`,
    send: (key, signal) => brought(client.POST("/api/v1/universe/changes/{number}/approve", { params: params(key), signal }), key),
    isRecorded: () => decided,
  });
  const refuse = useCommand({
    form: `universe-refuse/${change.number}`,
    send: (key, signal) => brought(client.POST("/api/v1/universe/changes/{number}/refuse", { params: params(key), signal }), key),
    isRecorded: () => decided,
  });
  return (
    <article className="card">
      <h2>Change {change.number}: {change.outcome}</h2>
      <p>
        {change.joins.length > 0 ? <>joins <strong>{change.joins.join(", ")}</strong> </> : null}
        {change.leaves.length > 0 ? <>leaves <strong>{change.leaves.join(", ")}</strong> </> : null}
      </p>
      <p>{change.reason}; by <Author id={change.author} />, <Moment at={change.at} /></p>
      {change.outcome === "waiting" ? (
        <Guarded right="universe.refuse">
          {own ? <p className="lacks-right" role="note">You asked for this: another person approves it.</p> : <CommandForm command={approve} ready action={`Approve change ${change.number}`} recorded="Decided." />}
          <CommandForm command={refuse} ready action={own ? "Withdraw" : "Refuse"} recorded="Decided." />
        </Guarded>
      ) : (
        <p>{change.outcome} by <Author id={change.decided_by} />, <Moment at={change.decided_at} /></p>
      )}
    </article>
  );
}
