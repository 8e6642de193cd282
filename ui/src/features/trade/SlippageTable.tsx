import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Rows } from "@/components/Rows";

export interface SlippageTableProps {
  readonly fills: readonly components["schemas"]["FillSlippageView"][];
}

/** What each execution cost against the price that it was decided at. */
export function SlippageTable({ fills }: SlippageTableProps) {
  return (
    <Rows
      caption="Slippage of each execution"
      rows={fills}
      keyOf={(row) => row.execution_id}
      empty="Nothing was executed."
      note={<p className="panel-note">Against the price when it was decided; above zero is worse.</p>}
      columns={[
        { name: "Leg", cell: (row) => `${row.leg ?? "unknown leg"}, ${row.side}, ${row.maker ? "maker" : "taker"}` },
        { name: "Quantity", number: true, cell: (row) => <Figure value={row.quantity} kind="quantity" /> },
        { name: "Decided at", number: true, cell: (row) => <Figure value={row.decision_price} kind="price" unknown="not known" /> },
        { name: "Executed at", number: true, cell: (row) => <Figure value={row.price} kind="price" /> },
        { name: "Slippage", number: true, cell: (row) => <Figure value={row.usd} kind="money" unit="USD" unknown="not measured" /> },
        { name: "Basis points", number: true, cell: (row) => <Figure value={row.basis_points} decimals={2} unknown="not measured" /> },
      ]}
    />
  );
}
