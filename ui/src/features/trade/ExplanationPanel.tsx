import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Panel } from "@/components/Panel";

export interface ExplanationPanelProps {
  /** Null: no learned model judged the idea. */
  readonly explanation: components["schemas"]["Explanation"] | null;
}

const SHOWN = 12;

/** What a learned model made of the idea, and which features weighed how much. */
export function ExplanationPanel({ explanation }: ExplanationPanelProps) {
  if (!explanation) {
    return (
      <Panel title="Model">
        <p className="panel-note">No learned model has judged this idea.</p>
      </Panel>
    );
  }
  const weighed = Object.entries(explanation.contributions).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const seen = new Map(explanation.features?.map((one) => [one.name, one]));
  const why = explanation.features ? "not known then" : "named by another release";
  return (
    <Panel title={`Model ${explanation.version}`}>
      <dl className="facts">
        <div><dt>Probability of a profit</dt><dd><Figure value={String(explanation.probability)} kind="share" /></dd></div>
        <div><dt>Stake</dt><dd><Figure value={String(explanation.stake)} kind="share" /></dd></div>
        <div><dt>Market regime</dt><dd>{explanation.regime.replaceAll("_", " ")}</dd></div>
        <div><dt>Bound by</dt><dd>{explanation.bound_by?.replaceAll("_", " ") ?? "nothing"}</dd></div>
      </dl>
      <table className="table">
        <caption>What weighed most: {explanation.of}</caption>
        <thead>
          <tr><th scope="col">Feature</th><th scope="col" className="number">Seen</th><th scope="col" className="number">Weight</th></tr>
        </thead>
        <tbody>
          {weighed.slice(0, SHOWN).map(([name, weight]) => (
            <tr key={name}>
              <th scope="row">{name.replaceAll("_", " ")}</th>
              <td className="number"><Figure value={seen.get(name)?.value?.toFixed(6)} decimals={4} unit={seen.get(name)?.unit ?? ""} unknown={why} /></td>
              <td className="number"><Figure value={weight.toFixed(6)} decimals={4} signed /></td>
            </tr>
          ))}
        </tbody>
      </table>
      {explanation.features ? (
        <details>
          <summary>All {explanation.features.length} features that it saw</summary>
          <dl className="facts">
            {explanation.features.map((one) => (
              <div key={one.name}><dt>{one.name.replaceAll("_", " ")}</dt><dd><Figure value={one.value?.toFixed(6)} decimals={4} unit={one.unit} unknown={why} /></dd></div>
            ))}
          </dl>
        </details>
      ) : null}
    </Panel>
  );
}
