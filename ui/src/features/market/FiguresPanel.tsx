import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Choice } from "@/components/Choice";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";

import { figures } from "./queries";

const UNKNOWN = "not known";

/** Book and trade flow of one pair by market minute: what the market worker keeps. */
export function FiguresPanel({ symbols }: { readonly symbols: readonly string[] }) {
  const [chosen, setChosen] = useState("");
  const symbol = symbols.includes(chosen) ? chosen : (symbols[0] ?? "");
  const found = useQuery(figures(symbol));
  if (symbol === "") return null;
  return (
    <>
      <Choice label="Book and trade flow of" value={symbol} options={symbols.map((one) => ({ value: one, label: one }))} onValue={setChosen} />
      <QueryState query={found} what="the figures of book and trade flow">
        {(rows) => (
          <Rows
            caption={`Book and trade flow of ${symbol}`}
            rows={rows}
            keyOf={(row) => row.at}
            empty="No minute of this pair is kept yet."
            note={<p className="panel-note">Depth within one percent of the price, in coins. One-sided: share of volume that takers on one side had more, over 50 minutes.</p>}
            columns={[
              { name: "Minute", cell: (row) => <Moment at={row.at} market /> },
              { name: "Spread", number: true, cell: (row) => <Figure value={row.spread_share} kind="share" decimals={3} unknown={UNKNOWN} /> },
              { name: "Imbalance", number: true, cell: (row) => <Figure value={row.imbalance} decimals={2} signed unknown={UNKNOWN} /> },
              { name: "Microprice", number: true, cell: (row) => <Figure value={row.microprice} kind="price" unknown={UNKNOWN} /> },
              { name: "Bid depth", number: true, cell: (row) => <Figure value={row.bid_depth} unknown={UNKNOWN} /> },
              { name: "Ask depth", number: true, cell: (row) => <Figure value={row.ask_depth} unknown={UNKNOWN} /> },
              { name: "Bought", number: true, cell: (row) => <Figure value={row.bought} /> },
              { name: "Sold", number: true, cell: (row) => <Figure value={row.sold} /> },
              { name: "One-sided", number: true, cell: (row) => <Figure value={row.toxicity} kind="share" unknown={UNKNOWN} /> },
            ]}
          />
        )}
      </QueryState>
    </>
  );
}
