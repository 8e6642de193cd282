import { useState } from "react";

import { brought, client } from "@/api/client";
import { Choice } from "@/components/Choice";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { useCommand } from "@/commands/useCommand";
import { divide, forDrawing, toText, typedDecimal } from "@/format/decimal";

import { type BacktestChoices, foldersFirst, venueName } from "./queries";

export interface StartBacktestProps {
  readonly choices: BacktestChoices;
  /** Ids of the backtests that the record shows. */
  readonly known: readonly string[];
}

const HUNDRED = { units: 100n, scale: 0 };
const COMBINATIONS_MAXIMUM = 64;
type Engine = "fast" | "reference";
const ENGINES: readonly { readonly value: Engine; readonly label: string }[] = [
  { value: "fast", label: "the fast engine" },
  { value: "reference", label: "the platform's own decisions (slow)" },
];
const isDay = (text: string): boolean => text === "" || (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)));
const moment = (day: string): string | null => (day === "" ? null : `${day}T00:00:00Z`);

/** Ask for a backtest: strategies, candles, period and costs. */
export function StartBacktest({ choices, known }: StartBacktestProps) {
  const venues = [...new Set(choices.recordings.map((one) => one.venue))].sort(foldersFirst);
  const [strategies, setStrategies] = useState<readonly string[]>(choices.strategies.filter((one) => one.standing === "shipped").map((one) => one.name));
  const [venue, setVenue] = useState(venues[0] ?? "");
  const [pairs, setPairs] = useState<readonly string[]>([]);
  const [begin, setBegin] = useState("");
  const [end, setEnd] = useState("");
  const [together, setTogether] = useState(false);
  const [capital, setCapital] = useState("100000");
  const [slippage, setSlippage] = useState("0.05");
  const [fees, setFees] = useState("");
  const [sweep, setSweep] = useState("");
  const [walkForward, setWalkForward] = useState(false);
  const [engine, setEngine] = useState<Engine>("fast");
  const offered = [...new Set(choices.recordings.filter((one) => one.venue === venue).map((one) => one.symbol))].sort();
  const money = typedDecimal(capital);
  const lost = typedDecimal(slippage);
  const share = lost ? divide(lost, HUNDRED, 8) : undefined;
  const daysFit = isDay(begin) && isDay(end) && (begin === "" || end === "" || begin < end);
  const swept = sweepOf(sweep);
  const combinations = (swept ?? []).reduce((count, one) => count * one.split(",").length, 1);
  const sweepError = swept === undefined ? "Such as volatility_target=0.15,0.25; one parameter each, with ; between." : combinations > COMBINATIONS_MAXIMUM ? `At most ${COMBINATIONS_MAXIMUM} combinations: these are ${combinations}.` : undefined;
  const command = useCommand<{ run_id: string }>({
    form: "backtest",
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/backtests", {
          params: { header: { "Idempotency-Key": key } },
          body: {
            strategies: [...strategies], venue, pairs: pairs.filter((one) => offered.includes(one)), begin: moment(begin), end: moment(end), together, fees, latency: 1,
            capital: forDrawing(capital), slippage: forDrawing(share ? toText(share) : "0"),
            sweep: [...(swept ?? [])], walk_forward: walkForward && combinations > 1, engine,
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
      ready={strategies.length > 0 && daysFit && money !== undefined && money.units > 0n && share !== undefined && sweepError === undefined}
      refusedEffect="None: no backtest was started, and none touches trading."
    >
      <fieldset className="field">
        <legend>Strategies</legend>
        {choices.strategies.map((one) => (
          <Tick key={one.name} label={one.name.replaceAll("_", " ")} hint={`${one.standing}${one.interval_minutes ? `, bars of ${one.interval_minutes} min` : ""}`} ticked={strategies.includes(one.name)} onTick={(on) => setStrategies(toggled(strategies, one.name, on))} />
        ))}
      </fieldset>
      <Choice label="Candles of" value={venue} options={venues.map((one) => ({ value: one, label: venueName(one) }))} onValue={setVenue} />
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
        <Choice label="Trades made by" value={engine} options={ENGINES} onValue={(one) => setEngine(one === "reference" ? one : "fast")} />
        <Field label="Parameters to try" unit="none: the strategy's own" value={sweep} onValue={setSweep} hint="PARAMETER=VALUE,VALUE; every combination is tried." error={sweepError} />
      </div>
      {combinations > 1 ? (
        <Tick label="Walk-forward" hint="What choosing among these by the past only would have come to." ticked={walkForward} onTick={setWalkForward} />
      ) : null}
      <Tick label="Pairs as one portfolio" hint="Each gets an even part of the capital." ticked={together} onTick={setTogether} />
    </CommandForm>
  );
}

const PART = /^[a-z][a-z0-9_]*=[A-Za-z0-9.+/-]+(,[A-Za-z0-9.+/-]+)*$/;

/** Parameters with their values, undefined where the text is none of that. */
function sweepOf(text: string): readonly string[] | undefined {
  const parts = text.split(";").map((part) => part.replaceAll(/\s/g, "")).filter((part) => part !== "");
  const names = parts.map((part) => part.split("=")[0]);
  return parts.every((part) => PART.test(part)) && new Set(names).size === names.length ? parts : undefined;
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
