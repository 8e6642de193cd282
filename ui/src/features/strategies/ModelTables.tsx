import { queryOptions, useQuery } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";

const models = queryOptions({
  queryKey: ["learning", "models"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/learning/models", { params: { query: { limit: 100 } }, signal })),
});
const predictions = queryOptions({
  queryKey: ["learning", "predictions"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/learning/predictions", { params: { query: { limit: 100 } }, signal })),
});

/** Every learned model: champion, challengers and those that failed the gate. */
export function ModelsTable() {
  const found = useQuery(models);
  return (
    <QueryState query={found} what="the models">
      {(rows) => (
        <Rows
          caption="Learned models"
          rows={rows}
          most={10}
          keyOf={(row) => String(row.version)}
          empty="None was trained yet."
          columns={[
            { name: "Version", number: true, cell: (row) => row.version },
            { name: "Standing", cell: (row) => row.standing.replaceAll("_", " ") },
            { name: "Gate", cell: (row) => (row.passed === null ? "not judged" : row.passed ? <span className="good">● passed</span> : <span className="alarm">▲ refused</span>) },
            { name: "Of", cell: (row) => <code>{row.trial}</code> },
            { name: "Decisions", number: true, cell: (row) => <Figure value={String(row.decisions)} /> },
            { name: "Refused", number: true, cell: (row) => <Figure value={String(row.refusals)} /> },
            { name: "Registered", cell: (row) => <Moment at={row.registered_at} /> },
          ]}
        />
      )}
    </QueryState>
  );
}

/** What models said of ideas lately, and what became of those that were taken. */
export function PredictionsTable() {
  const found = useQuery(predictions);
  return (
    <QueryState query={found} what="the predictions">
      {(rows) => (
        <Rows
          caption="Latest decisions of models"
          rows={rows}
          most={10}
          keyOf={(row) => `${row.idea_id} ${row.version}`}
          empty="No model has decided yet."
          columns={[
            { name: "At", cell: (row) => <Moment at={row.decided_at} /> },
            { name: "Pair", cell: (row) => row.symbol },
            { name: "Model", number: true, cell: (row) => row.version },
            { name: "Probability", number: true, cell: (row) => <Figure value={row.probability === null ? null : String(row.probability)} kind="share" unknown={row.refusal || "none"} /> },
            { name: "Stake", number: true, cell: (row) => <Figure value={row.stake === null ? null : String(row.stake)} kind="share" unknown="none" /> },
            { name: "Taken", cell: (row) => (row.taken ? "taken" : `not taken${row.refusal ? `: ${row.refusal.replaceAll("_", " ")}` : ""}`) },
            { name: "Came to", number: true, cell: (row) => <Figure value={row.net === null ? null : row.net.toFixed(6)} kind="share" signed unknown="open" /> },
          ]}
        />
      )}
    </QueryState>
  );
}
