import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";
import { capital, days, portfolio } from "@/features/account/queries";
import { Author } from "@/session/Author";

/** What is held, what was brought in, what trading made of it, day by day. */
export function CapitalPage() {
  const { account } = useParams({ from: "/accounts/$account/capital" });
  const held = useQuery(portfolio(account));
  const money = useQuery(capital(account));
  const closed = useQuery(days(account));
  return (
    <AccountFrame account={account} title={`Capital of ${account}`}>
      {(figures, room) => (
        <>
          <QueryState query={held} what="the holdings" priced>
            {(data) => (
              <Rows
                caption="Holdings"
                rows={data.holdings}
                keyOf={(row) => row.asset}
                empty="Nothing is held."
                columns={[
                  { name: "Asset", cell: (row) => <strong>{row.asset}</strong> },
                  { name: "Quantity", number: true, cell: (row) => <Figure value={row.quantity} kind="quantity" /> },
                  { name: "Price USD", number: true, cell: (row) => <Figure value={row.price} kind="price" unknown="no price" stale={room.prices_unknown} /> },
                  { name: "Value USD", number: true, cell: (row) => <Figure value={row.value} kind="money" unknown="no price" stale={room.prices_unknown} /> },
                  { name: "Share", number: true, cell: (row) => <Figure value={row.share} kind="share" unknown="no price" stale={room.prices_unknown} /> },
                ]}
              />
            )}
          </QueryState>
          <QueryState query={money} what="the capital" priced>
            {(data) => (
              <>
                <Rows
                  caption="Profit since"
                  rows={data.baselines}
                  keyOf={(row) => row.at}
                  empty="No baseline yet."
                  note={<p className="panel-note">Brought in so far: <Figure value={data.contributed} kind="money" unit="USD" />; profit is net of it.</p>}
                  columns={[
                    { name: "Since", cell: (row) => <Moment at={row.at} market /> },
                    { name: "Because of", cell: (row) => row.reason },
                    { name: "Value then USD", number: true, cell: (row) => <Figure value={row.value} kind="money" /> },
                    { name: "Profit USD", number: true, cell: (row) => <Figure value={data.unpriced.length > 0 ? null : row.profit} kind="money" signed unknown={`no price for ${data.unpriced.join(", ")}`} stale={room.prices_unknown} /> },
                  ]}
                />
                <Rows
                  caption="Capital flows"
                  rows={data.flows}
                  keyOf={(row) => row.flow_id}
                  empty="Nothing was brought in or taken out."
                  columns={[
                    { name: "At", cell: (row) => <Moment at={row.at} market /> },
                    { name: "Amount", number: true, cell: (row) => <Figure value={row.amount} kind="quantity" signed unit={row.asset} /> },
                    { name: "Value USD", number: true, cell: (row) => <Figure value={row.value} kind="money" signed /> },
                    { name: "By", cell: (row) => <Author id={row.author} /> },
                    { name: "Note", cell: (row) => row.note },
                  ]}
                />
              </>
            )}
          </QueryState>
          <QueryState query={closed} what="the days">
            {(rows) => (
              <Rows
                caption={`Closed days (${figures.day_zone}, from ${figures.day_starts_at})`}
                rows={rows}
                keyOf={(row) => row.day}
                empty="No day has been closed yet."
                columns={[
                  { name: "Day", cell: (row) => <strong>{row.day}</strong> },
                  { name: "Profit", number: true, cell: (row) => <Figure value={row.profit_share} kind="share" signed /> },
                  { name: "Profit USD", number: true, cell: (row) => <Figure value={row.profit} kind="money" signed /> },
                  { name: "Worst", number: true, cell: (row) => <Figure value={row.worst_share} kind="share" /> },
                  { name: "Realised USD", number: true, cell: (row) => <Figure value={row.realised} kind="money" signed unknown="not measured" /> },
                  { name: "Fees USD", number: true, cell: (row) => <Figure value={row.fees} kind="money" unknown="not measured" /> },
                  { name: "Flows USD", number: true, cell: (row) => <Figure value={row.flows} kind="money" signed /> },
                  { name: "Halted", cell: (row) => (row.halted ? "⚠ yes" : "no") },
                ]}
              />
            )}
          </QueryState>
        </>
      )}
    </AccountFrame>
  );
}
