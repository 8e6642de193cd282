import type { components } from "@/api/schema";
import { Moment } from "@/components/Moment";
import { Source } from "@/components/Source";

export interface IdeaPanelProps {
  readonly idea: components["schemas"]["IdeaShown"] | null;
  readonly source: string;
}

/** Why the trade was thought of. */
export function IdeaPanel({ idea, source }: IdeaPanelProps) {
  if (!idea) {
    return (
      <section className="panel">
        <h2>Idea</h2>
        <p className="panel-note">None of a strategy: opened by <Source source={source} />.</p>
      </section>
    );
  }
  return (
    <section className="panel">
      <h2>Idea of {idea.strategy} <small>{idea.strategy_version}</small></h2>
      <ul>
        {idea.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      <dl className="facts">
        <div><dt>Bar</dt><dd><Moment at={idea.bar_start} market /></dd></div>
        <div><dt>Valid until</dt><dd><Moment at={idea.expires_at} market /></dd></div>
        <div><dt>Decided</dt><dd><Moment at={idea.decided_at} /></dd></div>
        <div><dt>Id</dt><dd><code>{idea.idea}</code></dd></div>
      </dl>
    </section>
  );
}
