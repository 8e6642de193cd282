import { useQuery } from "@tanstack/react-query";

import type { components } from "@/api/schema";
import { Button } from "@/components/Button";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";

import { systemFigures } from "./queries";

type SystemFigures = components["schemas"]["SystemFigures"];

/** Beyond this age a figure of this page is struck out: it is asked for by hand. */
export const SYSTEM_BUDGET_SECONDS = 120;

/** Schedules, latencies and rate limits, as their processes told them when asked. */
export function Running() {
  const found = useQuery(systemFigures);
  return (
    <QueryState query={found} what="what runs" asOf={(data) => data.as_of} budgetSeconds={SYSTEM_BUDGET_SECONDS}>
      {(data) => (
        <>
          <p className="row">
            <small>As of <Moment at={data.as_of} /></small>
            <Button kind="quiet" busy={found.isFetching} onPress={() => void found.refetch()}>Ask again</Button>
          </p>
          <Latencies data={data} />
          <RateLimits data={data} />
          <Schedules data={data} />
        </>
      )}
    </QueryState>
  );
}

interface PartProps {
  readonly data: SystemFigures;
}

function Latencies({ data }: PartProps) {
  const bound = (value: number | null) => <Figure value={value === null ? null : String(value * 1000)} unit="ms" unknown="beyond the scale" />;
  return (
    <Rows
      caption="How long orders take"
      rows={data.steps}
      keyOf={(row) => `${row.step}/${row.leg}`}
      empty={data.trading_unknown ?? "No order was sent since the trading process started."}
      note={<p className="panel-note">Since the trading process started; bounds of a histogram, not exact times.</p>}
      columns={[
        { name: "Step", cell: (row) => <strong>{row.step.replaceAll("_", " ")}</strong> },
        { name: "Of", cell: (row) => row.leg },
        { name: "Half within", number: true, cell: (row) => bound(row.half) },
        { name: "95 of 100 within", number: true, cell: (row) => bound(row.most) },
        { name: "Taken", number: true, cell: (row) => <Figure value={String(row.count)} /> },
      ]}
    />
  );
}

function RateLimits({ data }: PartProps) {
  const share = (value: number | null) => <Figure value={value === null ? null : String(value)} kind="share" unknown="not told" />;
  return (
    <Rows
      caption="Room below the exchange's rate limits"
      rows={data.headroom}
      keyOf={(row) => row.account}
      empty={data.trading_unknown ?? "No account is known."}
      alarm={(row) => row.waiting_seconds > 0}
      columns={[
        { name: "Account", cell: (row) => <strong>{row.account}</strong> },
        { name: "Reading", number: true, cell: (row) => share(row.reading) },
        { name: "Trading (fullest pair)", number: true, cell: (row) => share(row.trading) },
        { name: "The exchange", cell: (row) => (row.waiting_seconds > 0 ? `▲ is not asked for another ${Math.ceil(row.waiting_seconds)} s` : "is asked") },
      ]}
    />
  );
}

function Schedules({ data }: PartProps) {
  return (
    <Rows
      caption="Schedules"
      rows={data.schedules}
      keyOf={(row) => row.name}
      empty={data.schedules_unknown ?? "None is kept."}
      alarm={(row) => row.paused}
      columns={[
        { name: "Schedule", cell: (row) => <strong>{row.name}</strong> },
        { name: "State", cell: (row) => (row.paused ? <>▲ paused <small>{row.note}</small></> : "running") },
        { name: "Last began", cell: (row) => <Moment at={row.last_at} unknown="not yet" /> },
        { name: "Next", cell: (row) => <Moment at={row.next_at} unknown="none" /> },
      ]}
    />
  );
}
