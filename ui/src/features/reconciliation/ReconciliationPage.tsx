import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import type { components } from "@/api/schema";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";

import { reconciliations, unknownOrders } from "./queries";

type Reconciliation = components["schemas"]["Reconciliation"];
type UnknownOrder = components["schemas"]["UnknownOrder"];

/** What comparing the record with the exchange found, and orders there that nobody here has sent. */
export function ReconciliationPage() {
  const { account } = useParams({ from: "/accounts/$account/reconciliation" });
  const found = useQuery(reconciliations(account));
  const strange = useQuery(unknownOrders(account));
  return (
    <AccountFrame account={account} title={`Reconciliation of ${account}`}>
      {() => (
        <>
          <QueryState query={strange} what="the unknown orders">{(rows) => <UnknownOrders orders={rows} />}</QueryState>
          <QueryState query={found} what="the comparisons">{(rows) => <Comparisons rows={rows} />}</QueryState>
        </>
      )}
    </AccountFrame>
  );
}

export function UnknownOrders({ orders }: { readonly orders: readonly UnknownOrder[] }) {
  return (
    <Rows
      caption="Orders at the exchange that are not ours"
      rows={orders}
      keyOf={(row) => row.order_id}
      empty="None was ever seen."
      alarm={(row) => row.standing}
      columns={[
        { name: "Order", cell: (row) => <code>{row.order_id}</code> },
        { name: "State", cell: (row) => (row.standing ? <strong>▲ stands there</strong> : "gone") },
        { name: "As the exchange tells it", cell: (row) => wordsOf(row.described) },
        { name: "First seen", cell: (row) => <Moment at={row.first_seen} /> },
        { name: "Last seen", cell: (row) => <Moment at={row.last_seen} /> },
      ]}
    />
  );
}

export function Comparisons({ rows }: { readonly rows: readonly Reconciliation[] }) {
  return (
    <Rows
      caption="Comparisons with the exchange"
      rows={rows}
      most={20}
      keyOf={(row) => String(row.number)}
      empty="The account was not compared yet."
      alarm={(row) => !row.clean}
      note={<p className="panel-note">Orders, executions and balances, every few minutes and after each gap; a difference is repaired or halts the account.</p>}
      columns={[
        { name: "No.", number: true, cell: (row) => row.number },
        { name: "At", cell: (row) => <Moment at={row.at} /> },
        { name: "Result", cell: (row) => resultOf(row) },
        { name: "Differences", cell: (row) => listed(row.differences) },
        { name: "Repaired", cell: (row) => listed(row.repaired) },
      ]}
    />
  );
}

function resultOf(row: Reconciliation) {
  const whole = row.complete ? "" : ", not of everything";
  return row.clean ? <span className="good">● agrees{whole}</span> : <strong className="alarm">▲ differs{whole}</strong>;
}

function listed(found: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(found).filter(([, words]) => words.length > 0).map(([name, words]) => `${name.replaceAll("_", " ")}: ${words.join("; ")}`).join(" | ") || "none";
}

function wordsOf(described: Readonly<Record<string, unknown>>): string {
  return Object.entries(described).map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value)}`).join(", ");
}
