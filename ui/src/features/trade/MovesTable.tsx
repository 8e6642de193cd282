import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Rows } from "@/components/Rows";

import { type Levels, movesOf } from "./levels";

export interface MovesTableProps {
  readonly levels: readonly Levels[];
}

/** Every move of stop and target, the newest first: what the chart draws, in figures. */
export function MovesTable({ levels }: MovesTableProps) {
  const moves = movesOf(levels).reverse();
  if (moves.length === 0) return null;
  return (
    <Rows
      caption="Moves of stop and target"
      rows={moves}
      most={10}
      keyOf={(row) => `${row.at} ${row.what}`}
      empty="Neither has moved."
      columns={[
        { name: "What", cell: (row) => row.what },
        { name: "From", number: true, cell: (row) => <Figure value={row.from} kind="price" unknown="none" /> },
        { name: "To", number: true, cell: (row) => <Figure value={row.to} kind="price" unknown="taken away" /> },
        { name: "Market time", cell: (row) => <Moment at={row.marketTime} market unknown="no price then" /> },
        { name: "At", cell: (row) => <Moment at={row.at} /> },
      ]}
    />
  );
}
