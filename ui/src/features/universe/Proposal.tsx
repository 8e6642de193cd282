import { queryOptions, useQuery } from "@tanstack/react-query";

import { brought, client, Problem } from "@/api/client";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { Author } from "@/session/Author";

const proposal = queryOptions({
  queryKey: ["universe", "proposal"],
  queryFn: async ({ signal }) => {
    try {
      return await brought(client.GET("/api/v1/universe/proposal", { signal }));
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  },
});
const versions = queryOptions({
  queryKey: ["universe", "versions"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/universe/versions", { params: { query: { limit: 50 } }, signal })),
});

/** What the rules would change, with what they say of every pair that the exchange lists. */
export function Proposal() {
  const found = useQuery(proposal);
  return (
    <QueryState query={found} what="what the rules propose">
      {(data) =>
        data === null ? null : (
          <Panel title="Proposed by the rules">
            <p>
              {data.joins.length === 0 && data.leaves.length === 0 ? "Nothing is to change." : null}
              {data.joins.length > 0 ? <>To join: <strong>{data.joins.map((pair) => pair.symbol).join(", ")}</strong>. </> : null}
              {data.leaves.length > 0 ? <>To leave: <strong>{data.leaves.join(", ")}</strong>. </> : null}
              <small>Review {data.number}, <Moment at={data.at} />, against version {data.based_on}.</small>
            </p>
            <details>
              <summary>Why, for each of {data.verdicts.length} pairs</summary>
              <ul className="states">
                {data.verdicts.map((one) => (
                  <li key={one.symbol} className={one.allowed ? "good" : "alarm"}>
                    <span aria-hidden="true">{one.allowed ? "●" : "▲"}</span> {one.symbol}{" "}
                    <small>{one.allowed ? "fits every rule" : one.checks.filter((check) => !check.passed).map((check) => check.reason || check.code).join("; ")}</small>
                  </li>
                ))}
              </ul>
            </details>
          </Panel>
        )
      }
    </QueryState>
  );
}

/** Every version so far: who made it, who agreed, and what joined and left. */
export function UniverseVersions() {
  const found = useQuery(versions);
  return (
    <QueryState query={found} what="the versions">
      {(rows) => (
        <Rows
          caption="Versions"
          rows={rows}
          most={10}
          keyOf={(row) => String(row.version)}
          empty="There is none yet."
          columns={[
            { name: "Version", number: true, cell: (row) => row.version },
            { name: "Joined", cell: (row) => row.joins.join(", ") || "none" },
            { name: "Left", cell: (row) => row.leaves.join(", ") || "none" },
            { name: "Reason", cell: (row) => row.reason },
            { name: "By", cell: (row) => <><Author id={row.author} />, approved by <Author id={row.approved_by} /></> },
            { name: "At", cell: (row) => <Moment at={row.at} /> },
          ]}
        />
      )}
    </QueryState>
  );
}
