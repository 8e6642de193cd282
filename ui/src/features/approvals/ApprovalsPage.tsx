import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Figure } from "@/components/Figure";
import { ModeBadge } from "@/components/ModeBadge";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { useCommand } from "@/commands/useCommand";
import { controlRoom } from "@/features/overview/queries";
import { divide, parse, subtract, toText } from "@/format/decimal";
import { ageText } from "@/format/time";
import { useNow } from "@/live/now";
import { Guarded } from "@/session/Guarded";
import { useSession } from "@/session/session";
import { Author } from "@/session/Author";
import { subjectWords } from "@/texts/subjects";

type Approval = components["schemas"]["Approval"];

export const approvals = queryOptions({
  queryKey: ["approvals"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/approvals", { params: { query: { limit: 200 } }, signal })),
});

/** What waits for a second person, with what has changed since it was asked for. */
export function ApprovalsPage() {
  const all = useQuery(approvals);
  return (
    <Page title="Approvals">
      <QueryState query={all} what="the requests">
        {(rows) => {
          const waiting = rows.filter((row) => row.status === "pending");
          return (
            <>
              <section className="cards wide" aria-label="Waiting">
                {waiting.length === 0 ? <p className="page-note">Nothing waits for a decision.</p> : null}
                {waiting.map((row) => (
                  <ApprovalCard key={row.approval_id} approval={row} />
                ))}
              </section>
              <Rows
                caption="Decided"
                rows={rows.filter((row) => row.status !== "pending")}
                keyOf={(row) => row.approval_id}
                empty="None has been decided yet."
                columns={[
                  { name: "Account", cell: (row) => row.account_id },
                  { name: "What", cell: (row) => <>{subjectWords(row.subject)} <small>{row.detail}</small></> },
                  { name: "Asked by", cell: (row) => <Author id={row.requested_by} /> },
                  { name: "Decision", cell: (row) => <>{row.status}{row.decided_by ? <> by <Author id={row.decided_by} /></> : null} <small>{row.reason}</small></> },
                  { name: "Came of it", cell: (row) => row.outcome_detail ?? row.outcome_code ?? "" },
                  { name: "At", cell: (row) => <Moment at={row.decided_at} unknown="never" /> },
                ]}
              />
            </>
          );
        }}
      </QueryState>
    </Page>
  );
}

export interface ApprovalCardProps {
  readonly approval: Approval;
}

/** One request with everything a second person needs. */
export function ApprovalCard({ approval }: ApprovalCardProps) {
  const { person } = useSession();
  const room = useQuery(controlRoom);
  const all = useQuery(approvals);
  const now = useNow();
  const [reason, setReason] = useState("");
  const mode = room.data?.accounts.find((one) => one.account === approval.account_id)?.mode;
  const last = room.data?.market.symbols.find((line) => line.symbol === approval.symbol)?.last;
  const decided = all.data?.some((row) => row.approval_id === approval.approval_id && row.status !== "pending") ?? false;
  const own = approval.requested_by === person.user;
  const params = (key: string) => ({ path: { approval: approval.approval_id }, header: { "Idempotency-Key": key } });
  const approve = useCommand({
    form: `approve/${approval.approval_id}`,
    send: (key, signal) => brought(client.POST("/api/v1/approvals/{approval}/approve", { params: params(key), body: { reason: reason.trim() || null }, signal }), key),
    isRecorded: () => decided,
  });
  const refuse = useCommand({
    form: `refuse/${approval.approval_id}`,
    send: (key, signal) => brought(client.POST("/api/v1/approvals/{approval}/refuse", { params: params(key), body: { reason: reason.trim() }, signal }), key),
    isRecorded: () => decided,
  });
  return (
    <article className="card" aria-labelledby={`approval-${approval.approval_id}`}>
      <header className="card-head">
        <h2 id={`approval-${approval.approval_id}`}>{subjectWords(approval.subject)}: {approval.account_id}</h2>
        {mode ? <ModeBadge mode={mode} /> : null}
      </header>
      <p>{approval.detail}</p>
      <ChangesSince approval={approval.approval_id} />
      <dl className="facts">
        <div><dt>Asked by</dt><dd><Author id={approval.requested_by} />, <Moment at={approval.requested_at} /></dd></div>
        <div><dt>Lapses in</dt><dd>{ageText(new Date(approval.expires_at).getTime() - now)}</dd></div>
        {approval.symbol ? (
          <>
            <div><dt>Value</dt><dd><Figure value={approval.value} kind="money" unit="USD" unknown="none" /></dd></div>
            <div><dt>Price when asked</dt><dd><Figure value={approval.reference_price} kind="price" unknown="none" /></dd></div>
            <div><dt>Price now</dt><dd><Figure value={last} kind="price" unknown={room.data ? "no price here" : "being read"} /> <Moved from={approval.reference_price} to={last} /></dd></div>
            <div><dt>Stop</dt><dd><Figure value={approval.stop_price} kind="price" unknown="none" /></dd></div>
          </>
        ) : null}
        {approval.trade !== null ? (
          <div><dt>Trade</dt><dd><Link to="/accounts/$account/trades/$number" params={{ account: approval.account_id, number: String(approval.trade) }}>{approval.trade}</Link></dd></div>
        ) : null}
      </dl>
      <Guarded right="approval.refuse" account={approval.account_id}>
        <Field label="Reason" value={reason} onValue={setReason} hint={own ? "needed to withdraw" : "needed to refuse"} />
        {own ? (
          <p className="lacks-right" role="note">You asked for this: another person approves it. You can withdraw it.</p>
        ) : (
          <Guarded right="approval.approve" account={approval.account_id}>
            <CommandForm command={approve} ready action={`${mode === "live" ? "LIVE: approve" : "Approve"} for ${approval.account_id}`} recorded="Decided." danger={mode === "live"} />
          </Guarded>
        )}
        <CommandForm command={refuse} ready={reason.trim().length >= 3} action={own ? "Withdraw" : "Refuse"} recorded="Decided." />
      </Guarded>
    </article>
  );
}

/** What is another thing now than when it was asked for. */
function ChangesSince({ approval }: { readonly approval: string }) {
  const one = useQuery({
    queryKey: ["approvals", approval],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/approvals/{approval}", { params: { path: { approval } }, signal })),
  });
  const lines = one.data?.changes_since ?? [];
  if (one.isError) return <p className="alarm">What has changed since is not known now.</p>;
  return lines.length === 0 ? null : (
    <ul aria-label="Changed since it was asked for">
      {lines.map((line) => <li key={line}>{line}</li>)}
    </ul>
  );
}

function Moved({ from, to }: { readonly from: string | null; readonly to: string | undefined }) {
  const before = from ? parse(from) : undefined;
  const after = to ? parse(to) : undefined;
  const share = before && after ? divide(subtract(after, before), before, 6) : undefined;
  return share ? <small>(<Figure value={toText(share)} kind="share" signed /> since)</small> : null;
}
