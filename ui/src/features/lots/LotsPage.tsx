import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";
import { gains, lots } from "@/features/account/queries";
import { add, parse, toText } from "@/format/decimal";

/** What is held by lot, and what each disposal realised; both as CSV for the accountant. */
export function LotsPage() {
  const { account } = useParams({ from: "/accounts/$account/lots" });
  const held = useQuery(lots(account));
  const realised = useQuery(gains(account));
  const base = `/api/v1/accounts/${encodeURIComponent(account)}`;
  return (
    <AccountFrame account={account} title={`Lots and gains of ${account}`}>
      {() => (
        <>
          <p className="row no-print">
            <a className="button" href={`${base}/lots/export?format=csv`} download>Lots as CSV</a>
            <a className="button" href={`${base}/gains/export?format=csv`} download>Realised gains as CSV</a>
          </p>
          <QueryState query={held} what="the lots">
            {(rows) => (
              <Rows
                caption="Lots held, oldest first"
                rows={rows}
                keyOf={(row) => `${row.asset} ${row.movement_id ?? "untracked"} ${row.acquired_at ?? ""}`}
                empty="Nothing is held."
                columns={[
                  { name: "Asset", cell: (row) => <strong>{row.asset}</strong> },
                  { name: "Quantity", number: true, cell: (row) => <Figure value={row.quantity} kind="quantity" /> },
                  { name: "Cost USD", number: true, cell: (row) => <Figure value={row.cost} kind="money" unknown="its price is not known" /> },
                  { name: "Acquired", cell: (row) => <Moment at={row.acquired_at} market unknown="by no known movement" /> },
                  { name: "By", cell: (row) => row.kind?.replaceAll("_", " ") ?? "–" },
                ]}
              />
            )}
          </QueryState>
          <QueryState query={realised} what="the gains">
            {(rows) => (
              <Rows
                caption="Realised gains, newest first"
                rows={[...rows].reverse()}
                keyOf={(row) => `${row.asset} ${row.disposed_by} ${row.acquired_by ?? ""} ${row.quantity}`}
                empty="Nothing was disposed of."
                note={<p className="panel-note">Together <Figure value={sumOf(rows.map((row) => row.gain))} kind="money" unit="USD" signed unknown="a basis is not known" />; first in, first out.</p>}
                columns={[
                  { name: "Asset", cell: (row) => <strong>{row.asset}</strong> },
                  { name: "Quantity", number: true, cell: (row) => <Figure value={row.quantity} kind="quantity" /> },
                  { name: "Acquired", cell: (row) => <Moment at={row.acquired_at} market unknown="not known" /> },
                  { name: "Disposed", cell: (row) => <Moment at={row.disposed_at} market /> },
                  { name: "Proceeds USD", number: true, cell: (row) => <Figure value={row.proceeds} kind="money" unknown="not known" /> },
                  { name: "Basis USD", number: true, cell: (row) => <Figure value={row.basis} kind="money" unknown="not known" /> },
                  { name: "Gain USD", number: true, cell: (row) => <Figure value={row.gain} kind="money" signed unknown="its basis is not known" /> },
                ]}
              />
            )}
          </QueryState>
        </>
      )}
    </AccountFrame>
  );
}

/** The sum, or null where any of them is not known: a part is no sum. */
export function sumOf(values: readonly (string | null)[]): string | null {
  let total = { units: 0n, scale: 0 };
  for (const value of values) {
    const parsed = value === null ? undefined : parse(value);
    if (!parsed) return null;
    total = add(total, parsed);
  }
  return toText(total);
}
