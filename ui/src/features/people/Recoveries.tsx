import { useQuery, useQueryClient } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

import { recoveries } from "./queries";

type RecoveryView = components["schemas"]["RecoveryView"];

/** Directors who are to be let in again from the machine: seen by all, and stopped by anybody. */
export function Recoveries() {
  const found = useQuery(recoveries);
  return (
    <QueryState query={found} what="the recoveries">
      {(rows) =>
        rows.length === 0 ? null : (
          <Panel title="Recoveries on the machine" stack>
            {rows.map((row) => <Recovery key={row.recovery_id} recovery={row} />)}
          </Panel>
        )
      }
    </QueryState>
  );
}

function Recovery({ recovery }: { readonly recovery: RecoveryView }) {
  const queries = useQueryClient();
  const command = useCommand({
    form: `cancel-recovery/${recovery.recovery_id}`,
    send: async () => {
      const done = await brought(client.POST("/api/v1/recoveries/{recovery}/cancel", { params: { path: { recovery: recovery.recovery_id } } }));
      await queries.invalidateQueries({ queryKey: ["people", "recoveries"] });
      return done;
    },
    isRecorded: () => true,
  });
  return (
    <article className="stack switch">
      <h3>⚠ <Author id={recovery.user_id} /> is to be let in again</h3>
      <p>
        Asked for by <Author id={recovery.asked_by} />, <Moment at={recovery.asked_at} />; it takes effect <Moment at={recovery.effective_at} />
        {recovery.kill_switch === null ? "" : `. Kill switch ${recovery.kill_switch} stands because of it`}. If nobody of you has asked for it, stop it.
      </p>
      <Guarded right="recovery.cancel">
        <CommandForm command={command} danger ready action="Stop this recovery" recorded="Stopped." />
      </Guarded>
    </article>
  );
}
