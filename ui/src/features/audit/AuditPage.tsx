import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { Problem } from "@/api/client";
import { Page } from "@/app/Page";
import type { AuditSearch } from "@/app/router";
import { Button } from "@/components/Button";
import { Choice } from "@/components/Choice";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { ProblemNote } from "@/components/ProblemNote";
import { Rows } from "@/components/Rows";
import { controlRoom } from "@/features/overview/queries";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";
import { useSession } from "@/session/session";

import { ProtectionPanel } from "./ProtectionPanel";
import { type AuditEntry, auditRows, exportAddress, isSearch } from "./queries";

/** Who did what, when and why: each account's chain of records, or a search over all of them. */
export function AuditPage() {
  return (
    <Page title="Audit">
      <Guarded right="audit.read">
        <Records />
      </Guarded>
    </Page>
  );
}

function Records() {
  const { person } = useSession();
  const given = useSearch({ from: "/audit" });
  // The platform's own record is for who has a role for all accounts; others begin with what they may read.
  const ofAll = person.grants.some((grant) => grant.account === "*");
  const search = given.scope === undefined && !ofAll ? { ...given, scope: "all" } : given;
  const entries = useInfiniteQuery(auditRows(search));
  const rows = entries.data?.pages.flatMap((page) => page.rows) ?? [];
  const scope = search.scope ?? "platform";
  return (
    <>
      <ProtectionPanel />
      <Filters search={search} />
      {entries.error instanceof Problem ? <ProblemNote problem={entries.error} effect="None: the audit is only read." /> : null}
      <Rows
        caption={scope === "all" ? "Records of all accounts" : `Record of ${scope}`}
        rows={rows}
        most={Math.max(100, rows.length)}
        keyOf={(row) => `${row.account_id}/${row.sequence}`}
        empty={entries.isPending ? "Reading …" : "Nothing is recorded that fits."}
        note={
          <p className="panel-note">
            Each row carries the hash of the one before; the database refuses to change or delete any. Verified by <code>aether audit verify</code>.{" "}
            {isSearch(search) ? "A search finds rows a few seconds after they were written. " : ""}
            <a href={exportAddress(search, "csv")} download>Everything as CSV</a>, <a href={exportAddress(search, "ndjson")} download>as JSON lines</a>
          </p>
        }
        columns={columnsOf(scope === "all")}
      />
      {entries.hasNextPage ? (
        <Button busy={entries.isFetchingNextPage} onPress={() => void entries.fetchNextPage()}>
          Older rows
        </Button>
      ) : null}
    </>
  );
}

function Filters({ search }: { readonly search: AuditSearch }) {
  const navigate = useNavigate({ from: "/audit" });
  const room = useQuery(controlRoom);
  const [asked, setAsked] = useState(search);
  const set = (name: keyof AuditSearch) => (value: string) => setAsked((now) => ({ ...now, [name]: value || undefined }));
  const scopes = ["platform", "all", ...(room.data?.accounts.map((one) => one.account) ?? [])];
  return (
    <form
      className="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const trimmed = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, value?.trim() || undefined]));
        void navigate({ search: trimmed });
      }}
    >
      <Choice
        label="Record of" value={asked.scope ?? "platform"}
        onValue={(value) => {
          setAsked((now) => ({ ...now, scope: value }));
          void navigate({ search: (old) => ({ ...old, scope: value }) });
        }}
        options={scopes.map((value) => ({ value, label: value === "all" ? "platform and all accounts" : value }))}
      />
      <Field label="Action" type="search" value={asked.action ?? ""} onValue={set("action")} hint="exactly, for example settings_changed" />
      <Field label="Who" type="search" value={asked.actor ?? ""} onValue={set("actor")} hint="exactly, as user/… or worker" />
      <Field label="Correlation" type="search" value={asked.correlation ?? ""} onValue={set("correlation")} hint="of a trade, an approval, a request" />
      <Field label="Words" type="search" value={asked.words ?? ""} onValue={set("words")} hint="all of them, in any order" />
      <Field label="From" unit="day, UTC" type="date" value={asked.since ?? ""} onValue={set("since")} />
      <Field label="To" unit="day, UTC" type="date" value={asked.until ?? ""} onValue={set("until")} />
      <div className="row">
        <Button type="submit" kind="primary">Search</Button>
        <Button
          kind="quiet"
          onPress={() => {
            setAsked({ scope: search.scope });
            void navigate({ search: { scope: search.scope } });
          }}
        >
          Clear
        </Button>
      </div>
    </form>
  );
}

function columnsOf(several: boolean) {
  return [
    ...(several ? [{ name: "Record", cell: (row: AuditEntry) => row.account_id }] : []),
    { name: "No.", number: true, cell: (row: AuditEntry) => row.sequence },
    { name: "At", cell: (row: AuditEntry) => <Moment at={row.recorded_at} /> },
    { name: "By", cell: (row: AuditEntry) => <Author id={row.actor} /> },
    { name: "Action", cell: (row: AuditEntry) => <code>{row.action}</code> },
    { name: "Details", cell: (row: AuditEntry) => <Details details={row.details} /> },
    { name: "Correlation", cell: (row: AuditEntry) => <code>{row.correlation}</code> },
    { name: "Hash", cell: (row: AuditEntry) => <code title={row.hash}>{row.hash.slice(0, 10)}…</code> },
  ];
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
