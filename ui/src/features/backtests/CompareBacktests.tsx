import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Choice } from "@/components/Choice";
import { Figure } from "@/components/Figure";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";

import { FIGURES } from "./BacktestPage";
import { asked } from "./BacktestsPage";
import { type Backtest, backtest, comparison } from "./queries";

export interface CompareBacktestsProps {
  readonly finished: readonly Backtest[];
}

/** Two results beside each other, with what besides the strategy differs. */
export function CompareBacktests({ finished }: CompareBacktestsProps) {
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  if (finished.length === 0) return null;
  return (
    <section className="panel stack">
      <h2>Compare two results</h2>
      <div className="filters">
        <ResultChoice label="This" finished={finished} value={first} onValue={setFirst} />
        <ResultChoice label="with this" finished={finished} value={second} onValue={setSecond} />
      </div>
      {first !== "" && second !== "" && first !== second ? <Compared first={first} second={second} /> : null}
      {first !== "" && first === second ? <p className="panel-note">Those are the same result.</p> : null}
    </section>
  );
}

interface ResultChoiceProps extends CompareBacktestsProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

function ResultChoice({ label, finished, value, onValue }: ResultChoiceProps) {
  const [run = ""] = value.split(".");
  const chosen = useQuery({ ...backtest(run), enabled: run !== "" });
  const results = chosen.data?.results ?? [];
  return (
    <div className="stack">
      <Choice
        label={label}
        value={run}
        options={[{ value: "", label: "choose a backtest" }, ...finished.map((one) => ({ value: one.run_id, label: `${one.requested_at.slice(0, 16).replace("T", " ")} ${one.asked.strategies.join(", ")}, ${asked(one)}` }))]}
        onValue={(next) => onValue(next === "" ? "" : `${next}.1`)}
      />
      {results.length > 1 ? (
        <Choice label={`Result (${label.toLowerCase()})`} value={value} options={results.map((one) => ({ value: `${run}.${one.number}`, label: `${one.strategy}: ${one.label}` }))} onValue={onValue} />
      ) : null}
    </div>
  );
}

function Compared({ first, second }: { readonly first: string; readonly second: string }) {
  const found = useQuery(comparison(first, second));
  return (
    <QueryState query={found} what="the comparison" lasting>
      {(data) => (
        <>
          {data.obstacles.length > 0 ? (
            <div className="banner banner-warn" role="note">
              More than the strategy differs:
              <ul>{data.obstacles.map((one) => <li key={one}>{one}</li>)}</ul>
            </div>
          ) : null}
          <Rows
            caption={`${data.first}, and ${data.second}`}
            rows={data.figures}
            keyOf={(row) => row.name}
            empty="Nothing to compare."
            columns={[
              { name: "Figure", cell: (row) => FIGURES.find(([name]) => name === row.name)?.[1] ?? row.name },
              ...(["first", "second", "difference"] as const).map((side) => ({
                name: side,
                number: true,
                cell: (row: (typeof data.figures)[number]) => (
                  <Figure value={row[side]} kind={FIGURES.find(([name]) => name === row.name)?.[2] ?? "number"} decimals={2} signed={side === "difference"} unknown="not known" />
                ),
              })),
            ]}
          />
        </>
      )}
    </QueryState>
  );
}
