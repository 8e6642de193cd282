import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";

export interface SizeAndVerdictProps {
  readonly assessment: components["schemas"]["EntryAssessed"] | null;
}

/** On what it rests that the entry was worth its costs, in words. */
const BASES: Readonly<Record<string, string>> = {
  evidence: "Rests on the results of its strategy so far.",
  unproven: "Its strategy has too few results to rest on: held to the daily budget of such entries.",
  target: "Somebody asked for it: rests on its target against its stop and the costs.",
  no_expectation: "Rests on no expectation: held to the daily budget of such entries.",
  hedge: "Belongs to the hedge, which is held to its own rules.",
  unstated: "On what it rests was not recorded.",
};

/** What the size was decided by: each cap and which one bound, the checks, the costs. */
export function SizeAndVerdict({ assessment }: SizeAndVerdictProps) {
  if (!assessment) {
    return (
      <section className="panel">
        <h2>Size and verdict</h2>
        <p className="panel-note">Not recorded for this trade.</p>
      </section>
    );
  }
  return (
    <section className="panel">
      <h2>Size and verdict</h2>
      <table className="table">
        <caption>Caps on the size; the smallest binds</caption>
        <thead>
          <tr><th scope="col">Cap</th><th scope="col" className="number">Quantity</th></tr>
        </thead>
        <tbody>
          {assessment.caps.map((cap) => (
            <tr key={cap.name}>
              <th scope="row">{cap.name.replaceAll("_", " ")}{cap.name === assessment.binding ? " ◀ binds" : ""}</th>
              <td className="number"><Figure value={cap.quantity} kind="quantity" /></td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>Evidence</h3>
      <p className="panel-note">{BASES[assessment.basis] ?? assessment.basis.replaceAll("_", " ")}</p>
      {assessment.expectation ? (
        <dl className="facts">
          <div><dt>Counted against the costs</dt><dd><Figure value={assessment.expectation.counted} kind="share" decimals={3} signed /></dd></div>
          <div><dt>Expected before costs</dt><dd><Figure value={assessment.expectation.expected} kind="share" decimals={3} signed /> ± <Figure value={assessment.expectation.spread} kind="share" decimals={3} /></dd></div>
          <div><dt>Mean of the results</dt><dd><Figure value={assessment.expectation.mean} kind="share" decimals={3} signed /> of <Figure value={String(assessment.expectation.results)} /></dd></div>
          <div><dt>From</dt><dd>{assessment.expectation.source.replaceAll("_", " ")}</dd></div>
        </dl>
      ) : null}
      <h3>Checks</h3>
      <ul className="states">
        {assessment.checks.map((check) => (
          <li key={check.rule + check.code} className={check.passed ? "good" : "alarm"}>
            <span aria-hidden="true">{check.passed ? "●" : "▲"}</span> {check.rule.replaceAll("_", " ")} <small>{check.reason || (check.passed ? "passed" : check.code)}</small>
          </li>
        ))}
      </ul>
      {assessment.costs ? (
        <p className="panel-note">
          Costs of the round trip: <Figure value={assessment.costs.total} kind="share" decimals={3} /> (fees{" "}
          <Figure value={assessment.costs.entry_fee} kind="share" /> + <Figure value={assessment.costs.exit_fee} kind="share" />, spread{" "}
          <Figure value={assessment.costs.spread} kind="share" decimals={3} />, slippage <Figure value={assessment.costs.entry_slippage} kind="share" decimals={3} /> +{" "}
          <Figure value={assessment.costs.exit_slippage} kind="share" decimals={3} />; fees by {assessment.costs.fee_source})
        </p>
      ) : null}
    </section>
  );
}
