import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { Button } from "@/components/Button";
import { Choice } from "@/components/Choice";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { ProblemNote } from "@/components/ProblemNote";
import { Problem } from "@/api/problem";
import { Rows } from "@/components/Rows";
import { controlRoom } from "@/features/overview/queries";
import { Author } from "@/session/Author";

type AuditEntry = components["schemas"]["AuditEntry"];

const PAGE = 100;

/** Who did what, when and why: each account's chain of records, searched. */
export function AuditPage() {
  const search = useSearch({ from: "/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const [action, setAction] = useState(search.action ?? "");
  const room = useQuery(controlRoom);
  const scope = search.scope ?? "platform";
  const entries = useInfiniteQuery({
    queryKey: ["audit", scope, search.action ?? ""],
    queryFn: ({ pageParam, signal }) =>
      brought(
        client.GET("/api/v1/audit/{scope}", {
          params: { path: { scope }, query: { limit: PAGE, ...(pageParam ? { before: pageParam } : {}), ...(search.action ? { action: search.action } : {}) } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (last: AuditEntry[]) => (last.length === PAGE ? (last.at(-1)?.sequence ?? null) : null),
  });
  const words = (search.words ?? "").toLowerCase();
  const rows = (entries.data?.pages.flat() ?? []).filter((row) => !words || JSON.stringify(row).toLowerCase().includes(words));
  const scopes = ["platform", ...(room.data?.accounts.map((one) => one.account) ?? [])];
  return (
    <Page title="Audit">
      <form
        className="filters"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void navigate({ search: (old) => ({ ...old, ...(action.trim() ? { action: action.trim() } : { action: undefined }) }) });
        }}
      >
        <Choice label="Record of" value={scope} onValue={(value) => void navigate({ search: (old) => ({ ...old, scope: value }) })} options={scopes.map((value) => ({ value, label: value }))} />
        <Field label="Action" type="search" value={action} onValue={setAction} hint="exactly, for example settings_changed" />
        <Field label="Words" type="search" value={search.words ?? ""} onValue={(value) => void navigate({ search: (old) => ({ ...old, words: value || undefined }), replace: true })} hint="in the rows read so far" />
        <Button type="submit">Search</Button>
      </form>
      {entries.error instanceof Problem ? <ProblemNote problem={entries.error} effect="None: the audit is only read." /> : null}
      <Rows
        caption={`Record of ${scope}`}
        rows={rows}
        most={PAGE}
        keyOf={(row) => String(row.sequence)}
        empty={entries.isPending ? "Reading …" : "Nothing is recorded that fits."}
        note={<p className="panel-note">Each row carries the hash of the one before; the database refuses to change or delete any. Verified by <code>aether audit verify</code>.</p>}
        columns={[
          { name: "No.", number: true, cell: (row) => row.sequence },
          { name: "At", cell: (row) => <Moment at={row.recorded_at} /> },
          { name: "By", cell: (row) => <Author id={row.actor} /> },
          { name: "Action", cell: (row) => <code>{row.action}</code> },
          { name: "Details", cell: (row) => <Details details={row.details} /> },
          { name: "Correlation", cell: (row) => <code>{row.correlation}</code> },
          { name: "Hash", cell: (row) => <code title={row.hash}>{row.hash.slice(0, 10)}…</code> },
        ]}
      />
      {entries.hasNextPage ? (
        <Button busy={entries.isFetchingNextPage} onPress={() => void entries.fetchNextPage()}>
          Older rows
        </Button>
      ) : null}
    </Page>
  );
}

function Details({ details }: { readonly details: Readonly<Record<string, string>> }) {
  return (
    <dl className="details">
      {Object.entries(details).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
