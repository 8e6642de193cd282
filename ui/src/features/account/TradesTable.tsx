import { Link } from "@tanstack/react-router";

import type { components } from "@/api/schema";
import { Button } from "@/components/Button";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Rows } from "@/components/Rows";
import { Source } from "@/components/Source";

type Trade = components["schemas"]["Trade"];

export interface TradesTableProps {
  readonly account: string;
  readonly trades: readonly Trade[];
  /** Read older ones too; not given where there are none, or they are being read. */
  readonly onOlder?: (() => void) | undefined;
}

/** Trades, newest first; each leads to its whole story. */
export function TradesTable({ account, trades, onOlder }: TradesTableProps) {
  return (
    <Rows
      caption="Trades"
      rows={trades}
      keyOf={(row) => String(row.number)}
      empty="No trade yet."
      more={onOlder ? <Button kind="quiet" onPress={onOlder}>Read older trades</Button> : null}
      most={25}
      columns={[
        { name: "Trade", cell: (row) => <Link to="/accounts/$account/trades/$number" params={{ account, number: String(row.number) }}>{row.number} {row.symbol}</Link> },
        { name: "Phase", cell: (row) => row.phase },
        { name: "By", cell: (row) => <Source source={row.source} /> },
        { name: "Quantity", number: true, cell: (row) => <Figure value={row.bought === "0" ? row.quantity : row.bought} kind="quantity" /> },
        { name: "Entry", number: true, cell: (row) => <Figure value={row.average_entry_price} kind="price" decimals={2} unknown="not filled" /> },
        { name: "Exit", number: true, cell: (row) => <Figure value={row.average_exit_price} kind="price" decimals={2} unknown="open" /> },
        { name: "Stop", number: true, cell: (row) => <Figure value={row.stop_price} kind="price" /> },
        { name: "PnL USD", number: true, cell: (row) => <Figure value={row.pnl} kind="money" signed unknown="open" /> },
        { name: "Fees USD", number: true, cell: (row) => <Figure value={row.fees} kind="money" /> },
        { name: "Why it ended", cell: (row) => (row.exit_reason ?? "").replaceAll("_", " ") },
        { name: "Decided", cell: (row) => <Moment at={row.decided_at} /> },
      ]}
    />
  );
}
