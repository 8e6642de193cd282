import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Problem } from "@/api/problem";
import type { CommandState, CommandStep } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { Choice, Radios } from "@/components/Choice";
import { CommandForm } from "@/components/CommandForm";
import { CommandStatus } from "@/components/CommandStatus";
import { Field } from "@/components/Field";
import { Aging } from "@/components/Aging";
import { Figure } from "@/components/Figure";
import { Meter } from "@/components/Meter";
import { ModeBadge } from "@/components/ModeBadge";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { ProblemNote } from "@/components/ProblemNote";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { Source } from "@/components/Source";
import { StateBadge } from "@/components/StateBadge";
import { TypedConfirmation } from "@/components/TypedConfirmation";
import { Guarded } from "@/session/Guarded";

export interface Story {
  readonly component: string;
  /** The component by the name of its state. */
  readonly states: Readonly<Record<string, ReactNode>>;
}

const nothing = () => undefined;
const REFUSED = new Problem(409, "price-moved", "The price moved by 1.2 % since the preview.", [], "c0ffee");

function command(step: CommandStep): CommandState<unknown> {
  return { step, key: "k", run: nothing, reset: nothing, ...(step === "refused" ? { problem: REFUSED } : {}) };
}

function query(state: Partial<UseQueryResult<string>>): UseQueryResult<string> {
  return { data: undefined, error: null, isPending: false, refetch: nothing, ...state } as unknown as UseQueryResult<string>;
}

const COLUMNS = [
  { name: "Pair", cell: (row: Row) => row.pair },
  { name: "Value", number: true, cell: (row: Row) => <Figure value={row.value} kind="money" unit="USD" /> },
];
interface Row {
  readonly pair: string;
  readonly value: string;
}
const ROWS: readonly Row[] = [{ pair: "BTC/USD", value: "1234.5" }, { pair: "ETH/USD", value: "-12" }];
const rows = (found: readonly Row[], caption: string, alarm = false) => <Rows caption={caption} rows={found} columns={COLUMNS} keyOf={(row) => row.pair} empty="Nothing is held." alarm={() => alarm} />;
const read = (state: Partial<UseQueryResult<string>>) => <QueryState query={query(state)} what="the figures">{(data) => <p>{data}</p>}</QueryState>;

/** Each shared component with its states. */
export const STORIES: readonly Story[] = [
  { component: "Button", states: { plain: <Button>Show anew</Button>, primary: <Button kind="primary">Approve</Button>, danger: <Button kind="danger">Stop now</Button>, busy: <Button busy>Sent</Button>, disabled: <Button disabled>Move the stop</Button> } },
  { component: "Field", states: { empty: <Field label="Stop" unit="USD" value="" onValue={nothing} />, filled: <Field label="Stop" unit="USD" value="48000" onValue={nothing} hint="every trade has one" />, wrong: <Field label="Stop" value="48,000" onValue={nothing} error="A price with a decimal point" /> } },
  { component: "Choice", states: { list: <Choice label="Pair" value="a" onValue={nothing} options={[{ value: "a", label: "BTC/USD" }, { value: "b", label: "ETH/USD" }]} />, radios: <Radios label="Order" value="a" onValue={nothing} options={[{ value: "a", label: "At market" }, { value: "b", label: "Limit", hint: "rests at a price" }]} /> } },
  {
    component: "Figure",
    states: {
      money: <Figure value="1234.5" kind="money" unit="USD" />, gain: <Figure value="0.0123" kind="share" signed />, loss: <Figure value="-250" kind="money" unit="USD" signed />,
      unknown: <Figure value={null} unknown="no price for XRP" />, stale: <Figure value="50000" kind="price" stale="stale prices: BTC/USD" />, "too old": <Figure value="50000" kind="price" asOf="2026-01-01T00:00:00Z" budgetSeconds={15} />,
    },
  },
  { component: "Meter", states: { within: <Meter label="Exposure" value="0.2" limit="0.8" />, near: <Meter label="Exposure" value="0.7" limit="0.8" />, reached: <Meter label="Exposure" value="0.81" limit="0.8" />, unknown: <Meter label="Exposure" value={null} limit="0.8" unknown="nothing was measured yet" /> } },
  { component: "Moment", states: { time: <Moment at="2026-11-28T12:00:00Z" />, "market time": <Moment at="2026-11-28T12:00:00Z" market />, unknown: <Moment at={null} unknown="never" /> } },
  { component: "ModeBadge", states: { simulated: <ModeBadge mode="simulated" />, live: <ModeBadge mode="live" /> } },
  { component: "StateBadge", states: { trading: <StateBadge state="trading" />, halted: <StateBadge state="halted" />, "no exchange": <StateBadge state="no exchange" />, strange: <StateBadge state="does not run" /> } },
  { component: "Source", states: { strategy: <Source source="idea/abc" />, strange: <Source source="hedge" /> } },
  { component: "Panel", states: { filled: <Panel title="Checkpoints"><p>The newest is a minute old.</p></Panel> } },
  { component: "Aging", states: { "too old": <Aging asOf="2026-01-01T00:00:00Z"><Figure value="50000" kind="price" /></Aging>, "of unknown age": <Aging><Figure value="50000" kind="price" /></Aging> } },
  { component: "QueryState", states: { loading: read({ isPending: true }), error: read({ error: REFUSED }), stale: read({ data: "as last read", error: REFUSED }), read: read({ data: "as read" }) } },
  { component: "Rows", states: { filled: rows(ROWS, "Positions held"), empty: rows([], "No positions"), alarm: rows(ROWS, "Positions without a stop", true) } },
  { component: "ProblemNote", states: { refused: <ProblemNote problem={REFUSED} effect="Nothing was bought." />, again: <ProblemNote problem={REFUSED} effect="Nothing was bought." onRetry={nothing} /> } },
  {
    component: "CommandStatus",
    states: Object.fromEntries((["sending", "asking", "accepted", "recorded", "refused"] as const).map((step) => [step, <CommandStatus key={step} command={command(step)} recorded="The stop stands there." />])),
  },
  { component: "CommandForm", states: { ready: <CommandForm command={command("idle")} action="Halt company" recorded="Halted." ready />, "not ready": <CommandForm command={command("idle")} action="Halt company" recorded="Halted." ready={false} />, "under way": <CommandForm command={command("accepted")} action="Halt company" recorded="Halted." ready />, refused: <CommandForm command={command("refused")} action="Halt company" recorded="Halted." ready danger /> } },
  { component: "TypedConfirmation", states: { asked: <TypedConfirmation word="company" why="This trades real money." value="" onValue={nothing} /> } },
  { component: "Guarded", states: { allowed: <Guarded right="audit.read"><p>The record.</p></Guarded>, forbidden: <Guarded right="trade.open" account="company"><p>A form.</p></Guarded> } },
];
