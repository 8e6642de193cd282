import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { QueryState } from "@/components/QueryState";
import { AccountFrame } from "@/features/account/AccountFrame";
import { OrdersTable } from "@/features/account/OrdersTable";

import { assessment, ordersOfTrade, trade } from "./queries";
import { SizeAndVerdict } from "./SizeAndVerdict";
import { TradeFacts } from "./TradeFacts";

/** The whole story of one trade. */
export function TradePage() {
  const { account, number: text } = useParams({ from: "/accounts/$account/trades/$number" });
  const number = Number(text);
  const found = useQuery(trade(account, number));
  const orders = useQuery(ordersOfTrade(account, number));
  const assessed = useQuery(assessment(account, number));
  return (
    <AccountFrame account={account} title={`Trade ${text} of ${account}`}>
      {() => (
        <>
          <div className="columns">
            <QueryState query={found} what="the trade">{(row) => <TradeFacts trade={row} />}</QueryState>
            <QueryState query={assessed} what="what the size was decided by">{(row) => <SizeAndVerdict assessment={row} />}</QueryState>
          </div>
          <QueryState query={orders} what="the orders">
            {(rows) => <OrdersTable account={account} orders={rows} caption="Orders" empty="No order was intended." />}
          </QueryState>
        </>
      )}
    </AccountFrame>
  );
}
