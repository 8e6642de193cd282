import { useQuery, useQueryClient } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import { Button } from "@/components/Button";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";

import { factors, sessions } from "./queries";

/** One's own sessions, each of which can be ended, and one's second factors. */
export function OwnSessions() {
  const queries = useQueryClient();
  const own = useQuery(sessions);
  const held = useQuery(factors);
  async function end(session: string) {
    await brought(client.DELETE("/api/v1/me/sessions/{session}", { params: { path: { session } } }));
    await queries.invalidateQueries({ queryKey: ["people", "own-sessions"] });
  }
  return (
    <>
      <QueryState query={own} what="your sessions">
        {(rows) => (
          <Rows
            caption="Your sessions"
            rows={rows}
            keyOf={(row) => row.session_id}
            empty="None."
            columns={[
              { name: "Browser", cell: (row) => <>{row.current ? <strong>this one </strong> : null}<small>{row.agent}</small></> },
              { name: "Address", cell: (row) => row.address },
              { name: "Opened", cell: (row) => <Moment at={row.opened_at} /> },
              { name: "Used", cell: (row) => <Moment at={row.used_at} /> },
              { name: "End", cell: (row) => <Button kind="quiet" onPress={() => void end(row.session_id)}>End it</Button> },
            ]}
          />
        )}
      </QueryState>
      <QueryState query={held} what="your second factors">
        {(data) => (
          <Rows
            caption={`Your second factors; ${data.recovery_codes} recovery codes left`}
            rows={data.factors}
            keyOf={(row) => row.factor_id}
            empty="None."
            columns={[
              { name: "Factor", cell: (row) => <>{row.label} <small>{row.kind}</small></> },
              { name: "Added", cell: (row) => <Moment at={row.created_at} /> },
              { name: "Used", cell: (row) => <Moment at={row.last_used_at} unknown="never" /> },
            ]}
          />
        )}
      </QueryState>
    </>
  );
}
