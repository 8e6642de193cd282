import { queryOptions, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { Choice } from "@/components/Choice";
import { CommandForm } from "@/components/CommandForm";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { useCommand } from "@/commands/useCommand";

type Kind = components["schemas"]["MakeReport"]["kind"];

/** Each kind that there is: the compiler says which lacks its words. */
const LABELS: Readonly<Record<Kind, string>> = {
  daily: "Daily profit",
  trades: "Trades that ended",
  risk: "Risk: drawdown, exposure and volatility",
  hedge: "Hedge: target, costs and profit",
  performance: "Performance, beside holding and Bitcoin",
  costs: "Transaction costs",
  lots: "Lots and realised gains",
  reconciliation: "Reconciliation with the exchange",
  health: "System health",
  learning: "Learning: who decides, what came of it, what was tried (weekly)",
  explanation: "What the strategies did and why (weekly)",
};
const KINDS = (Object.keys(LABELS) as Kind[]).map((value) => ({ value, label: LABELS[value] }));

const stored = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "reports"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/reports", { params: { path: { account } }, signal })),
  });

export interface StoredReportsProps {
  readonly account: string;
}

/** The reports that the schedule makes, each as a page to print, CSV and JSON. */
export function StoredReports({ account }: StoredReportsProps) {
  const found = useQuery(stored(account));
  const address = (number: number, format: string) => `/api/v1/accounts/${encodeURIComponent(account)}/reports/${number}?format=${format}`;
  return (
    <QueryState query={found} what="the reports">
      {(rows) => (
        <>
          <Rows
            caption="Reports: made on schedule, and when asked for"
            rows={rows}
            most={12}
            keyOf={(row) => String(row.number)}
            empty="None was made yet: each kind is made once a day, the explanation and learning once a week."
            columns={[
              { name: "Report", cell: (row) => LABELS[row.kind as Kind] ?? row.kind },
              { name: "From", cell: (row) => <Moment at={row.since} market /> },
              { name: "To", cell: (row) => <Moment at={row.until} market /> },
              { name: "Made", cell: (row) => <Moment at={row.made_at} /> },
              {
                name: "Take along",
                cell: (row) => (
                  <span className="row">
                    {(["html", "csv", "json"] as const).map((format) => (
                      <a key={format} href={address(row.number, format)} download={`${row.kind}-${row.number}.${format}`}>{format === "html" ? "page" : format.toUpperCase()}<span className="sr"> of report {row.number}</span></a>
                    ))}
                  </span>
                ),
              },
            ]}
          />
          <MakeNow account={account} known={rows.map((row) => row.number)} />
        </>
      )}
    </QueryState>
  );
}

function MakeNow({ account, known }: StoredReportsProps & { readonly known: readonly number[] }) {
  const [kind, setKind] = useState<Kind>("costs");
  const command = useCommand<{ number: number }>({
    form: `report/${account}`,
    send: (key, signal) => brought(client.POST("/api/v1/accounts/{account}/reports", { params: { path: { account }, header: { "Idempotency-Key": key } }, body: { kind }, signal }), key),
    isRecorded: (answer) => known.includes(answer.number),
  });
  return (
    <section className="panel stack no-print">
      <h2>Make one now</h2>
      <CommandForm command={command} action="Make the report" recorded="It is in the list above." ready refusedEffect="None: no report was made.">
        <Choice label="Report" value={kind} options={KINDS} onValue={(value) => setKind(value as Kind)} />
      </CommandForm>
    </section>
  );
}
