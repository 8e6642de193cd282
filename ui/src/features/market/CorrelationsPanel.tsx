import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { Rows } from "@/components/Rows";

type Correlations = components["schemas"]["CorrelationsView"];
type Correlation = components["schemas"]["Correlation"];

export interface CorrelationsPanelProps {
  /** Null: none were computed yet. */
  readonly found: Correlations | null;
}

/** Which pairs count as one risk, and what every two of them were found to share. */
export function CorrelationsPanel({ found }: CorrelationsPanelProps) {
  if (found === null)
    return (
      <Panel title="Pairs that move together">
        <p className="panel-note">No correlations have been computed yet: the daily review of the market does that from stored bars.</p>
      </Panel>
    );
  return (
    <>
      <Panel title="Pairs that move together">
        <p className="panel-note">
          Pairs of a group count as one risk under the limit on exposure. Computation {found.number}, <Moment at={found.at} />, bars up to <Moment at={found.market_time} market unknown="no bar" />. Estimates are drawn towards <Figure value={decimal(found.target)} /> where there are few returns.
        </p>
        {found.groups.length === 0 ? <p className="panel-note">No pair is in a group.</p> : null}
        <ul className="states">
          {found.groups.map((group) => (
            <li key={group.name}>
              <strong>{group.name}</strong> <small>{group.symbols.length === 1 ? "alone" : `${group.symbols.length} pairs, one risk`}</small> {group.symbols.length === 1 ? null : group.symbols.join(", ")}
            </li>
          ))}
        </ul>
      </Panel>
      <Rows
        caption="Every two pairs"
        rows={closestFirst(found.estimates)}
        most={20}
        keyOf={(row) => `${row.first} ${row.second}`}
        empty="There are fewer than two pairs."
        columns={[
          { name: "Pair", cell: (row) => <strong>{row.first}</strong> },
          { name: "And", cell: (row) => <strong>{row.second}</strong> },
          { name: "Counts as", number: true, cell: (row) => <Figure value={decimal(row.value)} /> },
          { name: "In the sample", number: true, cell: (row) => <Figure value={row.sample === null ? null : decimal(row.sample)} unknown="too few returns in common" /> },
          { name: "Returns", number: true, cell: (row) => row.returns },
          { name: "Same group", cell: (row) => (groupOf(found, row.first) === groupOf(found, row.second) ? "● one risk" : "no") },
        ]}
      />
    </>
  );
}

export function closestFirst(rows: readonly Correlation[]): readonly Correlation[] {
  return [...rows].sort((a, b) => b.value - a.value || a.first.localeCompare(b.first));
}

/** A correlation is an estimate, no money: two digits are more than it is worth. */
function decimal(value: number): string {
  return value.toFixed(2);
}

function groupOf(found: Correlations, symbol: string): string {
  return found.groups.find((group) => group.symbols.includes(symbol))?.name ?? symbol;
}
