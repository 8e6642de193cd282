import { useQuery, useQueryClient } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandStatus } from "@/components/CommandStatus";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";

import { sessions } from "./queries";

type SessionView = components["schemas"]["SessionView"];

/** One's own sessions, each of which can be ended. */
export function OwnSessions() {
  const own = useQuery(sessions);
  return (
    <QueryState query={own} what="your sessions">
      {(rows) => (
        <SessionRows
          caption="Your sessions"
          rows={rows}
          end={(session) => brought(client.DELETE("/api/v1/me/sessions/{session}", { params: { path: { session } } }))}
        />
      )}
    </QueryState>
  );
}

export interface SessionRowsProps {
  readonly caption: string;
  readonly rows: readonly SessionView[];
  readonly end: (session: string) => Promise<unknown>;
}

/** Sessions that count, with the way to end each. */
export function SessionRows({ caption, rows, end }: SessionRowsProps) {
  return (
    <Rows
      caption={caption}
      rows={rows}
      keyOf={(row) => row.session_id}
      empty="None."
      columns={[
        { name: "Browser", cell: (row) => <>{row.current ? <strong>this one </strong> : null}<small>{row.agent}</small></> },
        { name: "Address", cell: (row) => row.address },
        { name: "Opened", cell: (row) => <Moment at={row.opened_at} /> },
        { name: "Used", cell: (row) => <Moment at={row.used_at} /> },
        { name: "End", cell: (row) => <EndSession session={row.session_id} end={end} /> },
      ]}
    />
  );
}

function EndSession({ session, end }: { readonly session: string; readonly end: SessionRowsProps["end"] }) {
  const queries = useQueryClient();
  const command = useCommand({
    form: `end-session/${session}`,
    send: async () => {
      await end(session);
      await queries.invalidateQueries({ queryKey: ["people"] });
      return true;
    },
    isRecorded: () => true,
  });
  return (
    <>
      <CommandStatus command={command} recorded="Ended." />
      <Button kind="quiet" busy={command.step !== "idle" && command.step !== "refused"} onPress={command.run}>End it</Button>
    </>
  );
}
