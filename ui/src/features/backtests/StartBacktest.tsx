import { useState } from "react";

import { brought, client } from "@/api/client";
import { Choice } from "@/components/Choice";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { useCommand } from "@/commands/useCommand";
import { divide, forDrawing, toText, typedDecimal } from "@/format/decimal";

import type { BacktestChoices } from "./queries";

export interface StartBacktestProps {
  readonly choices: BacktestChoices;
  /** Ids of the backtests that the record shows. */
  readonly known: readonly string[];
}

const HUNDRED = { units: 100n, scale: 0 };
const isDay = (text: string): boolean => text === "" || (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)));
const moment = (day: string): string | null => (day === "" ? null : `${day}T00:00:00Z`);

/** Ask for a backtest: strategies, candles, period and costs. */
export function StartBacktest({ choices, known }: StartBacktestProps) {
  const venues = [...new Set(choices.recordings.map((one) => one.venue))].sort();
  const [strategies, setStrategies] = useState<readonly string[]>(choices.strategies.filter((one) => one.standing === "shipped").map((one) => one.name));
  const [venue, setVenue] = useState(venues[0] ?? "");
  const [pairs, setPairs] = useState<readonly string[]>([]);
  const [begin, setBegin] = useState("");
  const [end, setEnd] = useState("");
  const [together, setTogether] = useState(false);
  const [capital, setCapital] = useState("100000");
  const [slippage, setSlippage] = useState("0.05");
  const [fees, setFees] = useState("");
  const offered = [...new Set(choices.recordings.filter((one) => one.venue === venue).map((one) => one.symbol))].sort();
  const money = typedDecimal(capital);
  const lost = typedDecimal(slippage);
  const share = lost ? divide(lost, HUNDRED, 8) : undefined;
  const daysFit = isDay(begin) && isDay(end) && (begin === "" || end === "" || begin < end);
  const command = useCommand<{ run_id: string }>({
    form: "backtest",
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/backtests", {
          params: { header: { "Idempotency-Key": key } },
          body: {
            strategies: [...strategies], venue, pairs: pairs.filter((one) => offered.includes(one)), begin: moment(begin), end: moment(end), together, fees, latency: 1,
            capital: forDrawing(capital), slippage: forDrawing(share ? toText(share) : "0"),
          },
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => known.includes(answer.run_id),
  });
  if (venues.length === 0) return <p className="panel-note">There are no recorded candles yet: a backtest needs some.</p>;
  return (
    <CommandForm
      command={command}
      action="Start the backtest"
      recorded="It is in the list below."
      ready={strategies.length > 0 && daysFit && money !== undefined && money.units > 0n && share !== undefined}
      refusedEffect="None: no backtest was started, and none touches trading."
    >
      <fieldset className="field">
        <legend>Strategies</legend>
        {choices.strategies.map((one) => (
          <Tick key={one.name} label={one.name.replaceAll("_", " ")} hint={`${one.standing}${one.interval_minutes ? `, bars of ${one.interval_minutes} min` : ""}`} ticked={strategies.includes(one.name)} onTick={(on) => setStrategies(toggled(strategies, one.name, on))} />
        ))}
      </fieldset>
      <Choice label="Candles of" value={venue} options={venues.map((one) => ({ value: one, label: one === "record" ? "the platform's own record" : one }))} onValue={setVenue} />
      <fieldset className="field">
        <legend>Pairs <span className="unit">(none ticked: all of them)</span></legend>
        {offered.map((one) => <Tick key={one} label={one} ticked={pairs.includes(one)} onTick={(on) => setPairs(toggled(pairs, one, on))} />)}
      </fieldset>
      <div className="filters">
        <Field label="Judged from" unit="UTC day, YYYY-MM-DD" value={begin} onValue={setBegin} hint="What was recorded before, the strategy has seen." error={isDay(begin) ? undefined : "A day is YYYY-MM-DD."} />
        <Field label="To" unit="UTC day, not included" value={end} onValue={setEnd} error={isDay(end) ? (daysFit ? undefined : "It must come after the first day.") : "A day is YYYY-MM-DD."} />
        <Field label="Capital" unit="USD" inputMode="decimal" value={capital} onValue={setCapital} error={money && money.units > 0n ? undefined : "A number above zero, such as 100000."} />
        <Field label="Slippage" unit="% of the price" inputMode="decimal" value={slippage} onValue={setSlippage} error={share ? undefined : "A number such as 0.05."} />
        <Choice label="Fees of" value={fees} options={[{ value: "", label: "today's schedule" }, ...choices.fee_schedules.slice(1).map((day) => ({ value: day, label: `the schedule of ${day}` }))]} onValue={setFees} />
      </div>
      <Tick label="Pairs as one portfolio" hint="Each gets an even part of the capital." ticked={together} onTick={setTogether} />
    </CommandForm>
  );
}

interface TickProps {
  readonly label: string;
  readonly hint?: string;
  readonly ticked: boolean;
  readonly onTick: (on: boolean) => void;
}

function Tick({ label, hint, ticked, onTick }: TickProps) {
  return (
    <label className="check">
      <input type="checkbox" checked={ticked} onChange={(event) => onTick(event.target.checked)} />
      <span>{label}{hint ? <small className="hint">{hint}</small> : null}</span>
    </label>
  );
}

function toggled(names: readonly string[], name: string, on: boolean): readonly string[] {
  return on ? [...names, name] : names.filter((one) => one !== name);
}
