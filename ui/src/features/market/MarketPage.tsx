import { useQuery } from "@tanstack/react-query";

import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { MarketTable } from "@/features/overview/MarketTable";
import { controlRoom } from "@/features/overview/queries";
import { ageText } from "@/format/time";

import { CorrelationsPanel } from "./CorrelationsPanel";
import { FiguresPanel } from "./FiguresPanel";
import { correlations, dataWork, doubts, sentiment } from "./queries";

type Doubt = components["schemas"]["MarketDoubtView"];

/** What is known of the market: prices and doubts about them, pairs that move together, its mood. */
export function MarketPage() {
  const room = useQuery(controlRoom);
  const doubted = useQuery(doubts);
  const together = useQuery(correlations);
  const work = useQuery(dataWork);
  const mood = useQuery(sentiment);
  return (
    <Page title="Market">
      {room.data?.prices_unknown ? <p className="banner banner-warn">⚠ {room.data.prices_unknown}: figures at these prices are struck out.</p> : null}
      <QueryState query={doubted} what="the doubts">{(rows) => <Doubts doubts={rows} />}</QueryState>
      <QueryState query={room} what="the prices" asOf={(data) => data.as_of}>{(data) => <MarketTable market={data.market} />}</QueryState>
      <FiguresPanel symbols={(room.data?.market.symbols ?? []).map((one) => one.symbol).sort()} />
      <QueryState query={together} what="the correlations">{(found) => <CorrelationsPanel found={found} />}</QueryState>
      <QueryState query={work} what="the work on data">
        {(rows) => (
          <Rows
            caption="Data from outside"
            rows={rows}
            keyOf={(row) => row.work}
            empty="Nothing is brought from outside: trading rests on the exchange alone."
            alarm={(row) => row.failures > 0}
            columns={[
              { name: "What", cell: (row) => <strong>{row.work.replaceAll(/[-_]/g, " ")}</strong> },
              { name: "Last success", cell: (row) => <Moment at={row.succeeded_at} unknown="none yet" /> },
              { name: "Last run", cell: (row) => <Moment at={row.finished_at} unknown="none yet" /> },
              { name: "Failures since", number: true, cell: (row) => row.failures },
            ]}
          />
        )}
      </QueryState>
      <QueryState query={mood} what="the mood">
        {(rows) => (
          <Rows
            caption="The market's mood, as others tell it"
            rows={rows}
            most={10}
            keyOf={(row) => `${row.source} ${row.at} ${row.available_at}`}
            empty="No source is asked."
            note={<p className="panel-note">From 0 (fear) to 100 (greed).</p>}
            columns={[
              { name: "Source", cell: (row) => row.source },
              { name: "Of", cell: (row) => <Moment at={row.at} /> },
              { name: "Known here", cell: (row) => <Moment at={row.available_at} /> },
              { name: "Value", number: true, cell: (row) => <Figure value={row.value} /> },
              { name: "In words", cell: (row) => row.words },
            ]}
          />
        )}
      </QueryState>
    </Page>
  );
}

/** What a second source found with the prices that decisions rest on: what stands comes first. */
export function Doubts({ doubts: rows }: { readonly doubts: readonly Doubt[] }) {
  const standing = rows.filter((row) => row.ended_at === null).length;
  return (
    <Rows
      caption={standing === 0 ? "No doubt about the prices stands" : `${standing} ${standing === 1 ? "doubt" : "doubts"} about the prices`}
      rows={rows}
      most={10}
      keyOf={(row) => `${row.symbol} ${row.kind} ${row.began_at}`}
      empty="None was ever found. Where no second source of prices is followed, none can be: System names what runs in a degraded mode."
      alarm={(row) => row.ended_at === null}
      note={<p className="panel-note">Prices that differ too much from those of a second source, a jump that only one of both made, silence of either. Each raises an alert; stale prices of the exchange itself stop entries, whatever is said here.</p>}
      columns={[
        { name: "Pair", cell: (row) => <strong>{row.symbol}</strong> },
        { name: "State", cell: (row) => (row.ended_at === null ? <strong className="alarm">▲ stands</strong> : <span className="good">● ended</span>) },
        { name: "What", cell: (row) => row.kind.replaceAll(/[-_]/g, " ") },
        { name: "Detail", cell: (row) => row.detail },
        { name: "Since", cell: (row) => <Moment at={row.began_at} /> },
        { name: "Lasted", cell: (row) => (row.ended_at === null ? "goes on" : ageText(Date.parse(row.ended_at) - Date.parse(row.began_at))) },
      ]}
    />
  );
}
