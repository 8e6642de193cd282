import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client } from "@/api/client";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { useCommand } from "@/commands/useCommand";
import { AccountFrame } from "@/features/account/AccountFrame";
import { Guarded } from "@/session/Guarded";
import { useSession } from "@/session/session";
import { Author } from "@/session/Author";

import { Conditions } from "./Conditions";
import { conditions, modeChanges, requests } from "./queries";

/** Simulated or live: every condition, the request, the second person, and the change itself. */
export function ModePage() {
  const { account } = useParams({ from: "/accounts/$account/mode" });
  const { person } = useSession();
  const found = useQuery(conditions(account));
  const asked = useQuery(requests(account));
  const history = useQuery(modeChanges(account));
  return (
    <AccountFrame account={account} title={`Mode of ${account}`}>
      {(figures) => (
        <>
          <QueryState query={found} what="the conditions of going live">
            {(data) => {
              const waiting = (asked.data ?? []).find((row) => row.number === data.request && row.approved_by === null);
              return (
                <div className="columns">
                  <Conditions account={account} found={data} />
                  <section className="panel stack">
                    <h2>{figures.mode === "live" ? "Back to simulation" : "Going live"}</h2>
                    <Guarded right="account.mode" account={account}>
                      {figures.mode === "live" ? (
                        <ChangeMode account={account} to="simulated" now={figures.mode} />
                      ) : (
                        <>
                          <AskToGoLive account={account} known={(asked.data ?? []).map((row) => row.number)} />
                          {waiting ? (
                            waiting.requested_by === person.user ? (
                              <p className="lacks-right" role="note">Request {waiting.number} is yours: another person approves it.</p>
                            ) : (
                              <ApproveLive account={account} number={waiting.number} approved={false} />
                            )
                          ) : null}
                          {data.ready ? <ChangeMode account={account} to="live" now={figures.mode} /> : null}
                        </>
                      )}
                    </Guarded>
                  </section>
                </div>
              );
            }}
          </QueryState>
          <QueryState query={asked} what="the requests">
            {(rows) => (
              <Rows
                caption="Requests to go live"
                rows={rows}
                keyOf={(row) => String(row.number)}
                empty="Nobody has asked yet."
                columns={[
                  { name: "No.", number: true, cell: (row) => row.number },
                  { name: "Asked by", cell: (row) => <Author id={row.requested_by} /> },
                  { name: "Reason", cell: (row) => row.reason },
                  { name: "At", cell: (row) => <Moment at={row.requested_at} /> },
                  { name: "Approved by", cell: (row) => (row.approved_by ? <Author id={row.approved_by} /> : "nobody yet") },
                  { name: "Used", cell: (row) => <Moment at={row.used_at} unknown="not used" /> },
                ]}
              />
            )}
          </QueryState>
          <QueryState query={history} what="the changes of mode">
            {(rows) => (
              <Rows
                caption="Changes of mode"
                rows={rows}
                keyOf={(row) => row.at}
                empty="The mode was never changed."
                columns={[
                  { name: "At", cell: (row) => <Moment at={row.at} /> },
                  { name: "Mode", cell: (row) => row.mode },
                  { name: "By", cell: (row) => <Author id={row.changed_by} /> },
                ]}
              />
            )}
          </QueryState>
        </>
      )}
    </AccountFrame>
  );
}

function AskToGoLive({ account, known }: { readonly account: string; readonly known: readonly number[] }) {
  const [reason, setReason] = useState("");
  const [overriding, setOverriding] = useState(false);
  const command = useCommand<{ number: number }>({
    form: `going-live/${account}`,
    send: (key, signal) =>
      brought(client.POST("/api/v1/accounts/{account}/going-live/requests", { params: { path: { account }, header: { "Idempotency-Key": key } }, body: { reason: reason.trim(), override_evidence: overriding }, signal }), key),
    isRecorded: (answer) => known.includes(answer.number),
  });
  return (
    <CommandForm command={command} action={`Ask for ${account} to go live`} recorded="It counts for a day, once another person has approved it." ready={reason.trim().length >= 3}>
      <Field label="Reason" value={reason} onValue={setReason} required />
      <label className="check">
        <input type="checkbox" checked={overriding} onChange={(event) => setOverriding(event.target.checked)} />
        <span>Go live although the simulated results do not prove a profit. Both people answer for it.</span>
      </label>
    </CommandForm>
  );
}

function ApproveLive({ account, number, approved }: { readonly account: string; readonly number: number; readonly approved: boolean }) {
  const [typed, setTyped] = useState("");
  const command = useCommand({
    form: `approve-live/${account}/${number}`,
    send: (key, signal) =>
      brought(client.POST("/api/v1/accounts/{account}/going-live/requests/{number}/approve", { params: { path: { account, number }, header: { "Idempotency-Key": key } }, signal }), key),
    isRecorded: () => approved,
  });
  return (
    <CommandForm command={command} danger action={`Approve request ${number}: ${account} may go live`} recorded="Approved." ready={isConfirmed(account, typed)}>
      <TypedConfirmation word={account} why="With this approval real money can be traded." value={typed} onValue={setTyped} />
    </CommandForm>
  );
}

function ChangeMode({ account, to, now }: { readonly account: string; readonly to: "live" | "simulated"; readonly now: string }) {
  const [typed, setTyped] = useState("");
  const command = useCommand({
    form: `mode/${account}/${to}`,
    send: (key, signal) =>
      brought(client.PUT("/api/v1/accounts/{account}/mode", { params: { path: { account }, header: { "Idempotency-Key": key } }, body: { mode: to }, signal }), key),
    isRecorded: () => now === to,
  });
  return (
    <CommandForm command={command} danger={to === "live"} action={to === "live" ? `Trade LIVE with the real money of ${account}` : `Put ${account} back into simulation`} recorded={`${account} is ${to} now.`} ready={isConfirmed(account, typed)}>
      <TypedConfirmation word={account} why={to === "live" ? `From now on ${account} trades with real money.` : "Live trading of the account ends."} value={typed} onValue={setTyped} />
    </CommandForm>
  );
}
