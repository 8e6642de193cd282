import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Rows } from "@/components/Rows";
import { add, compare, parse, toText } from "@/format/decimal";
import { ageText } from "@/format/time";
import { useNow } from "@/live/now";

type Position = components["schemas"]["Position"];
type Trade = components["schemas"]["Trade"];

export interface PositionsTableProps {
  readonly positions: readonly Position[];
  readonly trades: readonly Trade[];
  readonly pricesUnknown?: string | null | undefined;
}

/** What is held, how much of it a stop covers, and for how long it was covered by none. */
export function PositionsTable({ positions, trades, pricesUnknown }: PositionsTableProps) {
  return (
    <Rows
      caption="Positions"
      rows={positions}
      keyOf={(row) => row.symbol}
      empty="Nothing is held."
      columns={[
        { name: "Pair", cell: (row) => <strong>{row.symbol}</strong> },
        { name: "Quantity", number: true, cell: (row) => <Figure value={row.quantity} kind="quantity" /> },
        { name: "Entry", number: true, cell: (row) => <Figure value={row.average_entry_price} kind="price" decimals={2} unknown="not filled" /> },
        { name: "Last", number: true, cell: (row) => <Figure value={row.last_price} kind="price" unknown="no price" stale={pricesUnknown} /> },
        { name: "Value USD", number: true, cell: (row) => <Figure value={row.value} kind="money" unknown="no price" stale={pricesUnknown} /> },
        { name: "Unrealised USD", number: true, cell: (row) => <Figure value={row.unrealised_pnl} kind="money" signed unknown="no price" stale={pricesUnknown} /> },
        { name: "Protection", cell: (row) => <Protection position={row} trades={trades.filter((t) => row.trades.includes(t.number))} /> },
      ]}
    />
  );
}

function Protection({ position, trades }: { readonly position: Position; readonly trades: readonly Trade[] }) {
  const bare = trades.find((trade) => trade.unprotected_since !== null);
  const now = useNow(bare !== undefined);
  const quantity = parse(position.quantity);
  const covered = parse(position.protected_quantity);
  const whole = quantity && covered && compare(covered, quantity) >= 0;
  const seconds = trades.map((t) => parse(t.unprotected_seconds)).reduce((sum, s) => (sum && s ? add(sum, s) : sum), { units: 0n, scale: 0 });
  const past = seconds ? <small> was bare for <Figure value={toText(seconds)} decimals={1} unit="s" /></small> : null;
  if (whole) return <span className="good">● all under stops{past}</span>;
  return (
    <strong className="alarm">
      ⚠ <Figure value={position.protected_quantity} kind="quantity" /> of <Figure value={position.quantity} kind="quantity" /> under stops
      {bare?.unprotected_since ? `, bare for ${ageText(now - new Date(bare.unprotected_since).getTime())}` : ""}
    </strong>
  );
}
