import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";
import { divide, parse, toText } from "@/format/decimal";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

import { stressRun, stressRuns } from "./queries";

type StressView = components["schemas"]["StressView"];

const HUNDRED = { units: 100n, scale: 0 };

/** What a crash would cost the account, as it stands now. */
export function StressPage() {
  const { account } = useParams({ from: "/accounts/$account/stress" });
  const [chosen, setChosen] = useState("");
  const runs = useQuery(stressRuns(account));
  const shown = chosen || runs.data?.[0]?.run_id || "";
  const one = useQuery(stressRun(account, shown));
  return (
    <AccountFrame account={account} title={`Stress tests of ${account}`}>
      {() => (
        <>
          <Panel title="Run one">
            <Guarded right="stress.run" account={account}>
              <RunStress account={account} onRun={setChosen} />
            </Guarded>
          </Panel>
          {shown ? <QueryState query={one} what="the stress test" lasting>{(run) => <Results run={run} />}</QueryState> : null}
          <QueryState query={runs} what="the stress tests">
            {(rows) => (
              <Rows
                caption="Stress tests so far"
                rows={rows}
                keyOf={(row) => row.run_id}
                empty="None was run yet."
                alarm={(row) => row.breaches > 0}
                columns={[
                  { name: "At", cell: (row) => <Moment at={row.at} /> },
                  { name: "By", cell: (row) => <Author id={row.requested_by} /> },
                  { name: "Value then", number: true, cell: (row) => <Figure value={row.equity} kind="money" unit="USD" /> },
                  { name: "Worst loss", number: true, cell: (row) => <Figure value={row.worst_loss} kind="money" unit="USD" /> },
                  { name: "Limits broken", number: true, cell: (row) => row.breaches },
                  { name: "Show", cell: (row) => <Button kind="quiet" pressed={row.run_id === shown} onPress={() => setChosen(row.run_id)}>Show</Button> },
                ]}
              />
            )}
          </QueryState>
        </>
      )}
    </AccountFrame>
  );
}

function RunStress({ account, onRun }: { readonly account: string; readonly onRun: (run: string) => void }) {
  const queries = useQueryClient();
  const [percent, setPercent] = useState("");
  const fall = percent.trim() === "" ? undefined : parse(percent.trim());
  const valid = percent.trim() === "" || (fall !== undefined && /^\d{1,2}(\.\d+)?$/.test(percent.trim()) && Number(percent) > 0);
  const command = useCommand<StressView>({
    form: `stress/${account}`,
    send: async (key, signal) => {
      const share = fall ? `-${toText(divide(fall, HUNDRED, 9) ?? fall)}` : "";
      const shocks = share ? [{ name: "own-fall", title: `Everything falls by ${percent.trim()} %`, moves: {}, others: share }] : [];
      const made = await brought(
        client.POST("/api/v1/accounts/{account}/stress", { params: { path: { account }, header: { "Idempotency-Key": key } }, body: { historical: true, shocks }, signal }),
        key,
      );
      await queries.invalidateQueries({ queryKey: ["account", account, "stress"] });
      onRun(made.run_id);
      return made;
    },
    isRecorded: () => true,
  });
  return (
    <CommandForm command={command} ready={valid} action={`Test ${account} as it stands`} recorded="Done; it is shown below.">
      <p>The crashes of the past, at the positions and prices of now{percent.trim() ? ", and a fall of your own" : ""}. Nothing is traded.</p>
      <Field label="A fall of everything besides" unit="%; empty: none" inputMode="decimal" value={percent} onValue={setPercent} error={valid ? undefined : "A number above 0 and below 100"} />
    </CommandForm>
  );
}

/** The result of each shock, the worst first. */
export function Results({ run }: { readonly run: StressView }) {
  const titles = new Map(run.shocks.map((shock) => [shock.name, shock]));
  const worstFirst = [...run.results].sort((a, b) => Number(b.loss_share) - Number(a.loss_share));
  return (
    <Rows
      caption={`What ${run.results.length} shocks would have cost`}
      rows={worstFirst}
      keyOf={(row) => row.shock}
      empty="No shock was applied."
      note={
        <p className="panel-note">
          <Moment at={run.at} />{run.unpriced.length > 0 ? <>; <span className="warn">⚠ not counted, for want of a price: {run.unpriced.join(", ")}</span></> : null}
        </p>
      }
      columns={[
        { name: "Shock", cell: (row) => <><strong>{titles.get(row.shock)?.title || row.shock.replaceAll("-", " ")}</strong> <small>{titles.get(row.shock)?.source}</small></> },
        { name: "Loss", number: true, cell: (row) => <Figure value={row.loss} kind="money" unit="USD" /> },
        { name: "Of the value", number: true, cell: (row) => <Figure value={row.loss_share} kind="share" /> },
        { name: "Loss if stops hold", number: true, cell: (row) => <Figure value={row.loss_with_stops} kind="money" unit="USD" /> },
        { name: "Value after it", number: true, cell: (row) => <Figure value={row.equity_after} kind="money" unit="USD" /> },
      ]}
    />
  );
}
