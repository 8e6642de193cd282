import { Link } from "@tanstack/react-router";

import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Rows } from "@/components/Rows";

type Order = components["schemas"]["Order"];

export interface OrdersTableProps {
  readonly account: string;
  readonly orders: readonly Order[];
  readonly caption: string;
  readonly empty: string;
}

/** Orders as intended and as the exchange reports them. */
export function OrdersTable({ account, orders, caption, empty }: OrdersTableProps) {
  return (
    <Rows
      caption={caption}
      rows={orders}
      keyOf={(row) => row.client_order_id}
      empty={empty}
      alarm={(row) => row.status === "unknown"}
      columns={[
        { name: "Order", cell: (row) => <>{row.leg} <small>{row.side} {row.order_type}</small></> },
        { name: "Pair", cell: (row) => row.symbol },
        { name: "Status", cell: (row) => (row.status === "unknown" ? <strong>⚠ outcome unknown, asking</strong> : row.status) },
        { name: "Quantity", number: true, cell: (row) => <Figure value={row.quantity} kind="quantity" /> },
        { name: "Filled", number: true, cell: (row) => <Figure value={row.filled_quantity} kind="quantity" /> },
        { name: "Limit", number: true, cell: (row) => <Figure value={row.limit_price} kind="price" unknown="none" /> },
        { name: "Trigger", number: true, cell: (row) => <Figure value={row.trigger_price} kind="price" unknown="none" /> },
        { name: "Intended", cell: (row) => <Moment at={row.intended_at} /> },
        { name: "Trade", cell: (row) => <Link to="/accounts/$account/trades/$number" params={{ account, number: String(row.trade) }}>{row.trade}</Link> },
      ]}
    />
  );
}
