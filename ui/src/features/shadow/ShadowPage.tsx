import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";

import type { components } from "@/api/schema";
import { Choice } from "@/components/Choice";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";

import { shadowReport } from "./queries";

type Report = components["schemas"]["ShadowReport"];
type Decided = components["schemas"]["DecidedView"];

const WORDS: Readonly<Record<string, string>> = {
  both_traded: "both traded",
  both_refused: "both refused",
  only_account: "only the account traded",
  only_shadow: "only the shadow traded",
  not_seen_by_account: "the account never saw it",
  not_seen_by_shadow: "the shadow never saw it",
};

/** What other settings would have made of the same ideas: an account beside one in simulation. */
export function ShadowPage() {
  const { account } = useParams({ from: "/accounts/$account/shadow" });
  const [chosen, setChosen] = useState("");
  return (
    <AccountFrame account={account} title={`Shadow of ${account}`}>
      {(_, room) => {
        const others = room.accounts.filter((one) => one.account !== account && one.mode === "simulated").map((one) => one.account);
        const shadow = others.includes(chosen) ? chosen : others[0] ?? "";
        return (
          <>
            <Panel title="Beside which account">
              {others.length === 0 ? (
                <p className="panel-note">There is no other account in simulation that you may see. A shadow is one that follows the same strategies under settings of its own.</p>
              ) : (
                <Choice label="Shadow" value={shadow} onValue={setChosen} options={others.map((name) => ({ value: name, label: `${name} (simulated)` }))} />
              )}
            </Panel>
            {shadow ? <Beside account={account} shadow={shadow} /> : null}
          </>
        );
      }}
    </AccountFrame>
  );
}

function Beside({ account, shadow }: { readonly account: string; readonly shadow: string }) {
  const found = useQuery(shadowReport(account, shadow));
  return <QueryState query={found} what="the comparison">{(report) => <ShadowComparison report={report} />}</QueryState>;
}

/** Two decision paths side by side: counts, profit, and idea by idea. */
export function ShadowComparison({ report }: { readonly report: Report }) {
  const { account, shadow } = report;
  return (
    <>
      <Panel title={`${account} and ${shadow} on the same ideas`}>
        <dl className="facts wide-facts">
          <div><dt>Profit of {account}</dt><dd><Figure value={report.account_profit} kind="money" unit="USD" signed /></dd></div>
          <div><dt>Profit of {shadow}</dt><dd><Figure value={report.shadow_profit} kind="money" unit="USD" signed /></dd></div>
          {Object.entries(report.counts).map(([name, count]) => (
            <div key={name}><dt>{WORDS[name] ?? name.replaceAll("_", " ")}</dt><dd><Figure value={String(count)} /></dd></div>
          ))}
        </dl>
        <p className="panel-note">Of trades that came from ideas and are settled, net of fees; of the newest 200 ideas of each.</p>
      </Panel>
      <Rows
        caption="Idea by idea"
        rows={report.ideas}
        keyOf={(row) => row.idea_id}
        empty="Neither has decided on an idea yet."
        alarm={(row) => row.agreement === "not_seen_by_account" || row.agreement === "not_seen_by_shadow"}
        columns={[
          { name: "Pair", cell: (row) => <strong>{row.symbol}</strong> },
          { name: "Bar", cell: (row) => <Moment at={row.bar_start} market /> },
          { name: "How they stand", cell: (row) => WORDS[row.agreement] ?? row.agreement.replaceAll("_", " ") },
          { name: account, cell: (row) => <Side account={account} decided={row.account} /> },
          { name: shadow, cell: (row) => <Side account={shadow} decided={row.shadow} /> },
          { name: "Shadow better by USD", number: true, cell: (row) => <Figure value={row.profit_difference} kind="money" signed unknown="not settled on both sides" /> },
        ]}
      />
    </>
  );
}

function Side({ account, decided }: { readonly account: string; readonly decided: Decided | null }) {
  if (decided === null) return <span className="figure-unknown">– <small className="reason">never saw it</small></span>;
  const traded = decided.traded;
  if (traded === null) return <>refused <small>{decided.failed.map((code) => code.replaceAll("-", " ")).join(", ") || "no reason kept"}</small></>;
  return (
    <>
      <Link to="/accounts/$account/trades/$number" params={{ account, number: String(traded.number) }}>Trade {traded.number}</Link>{" "}
      <Figure value={traded.quantity} kind="quantity" /> at <Figure value={traded.entry_price} kind="price" unknown="not filled" />;{" "}
      <Figure value={traded.profit} kind="money" unit="USD" signed unknown="not settled" />
    </>
  );
}
