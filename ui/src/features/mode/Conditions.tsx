import { useQueryClient } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Moment } from "@/components/Moment";
import { Author } from "@/session/Author";

import { conditions } from "./queries";

type GoingLive = components["schemas"]["GoingLive"];

/** What going live takes, as it was last checked; reading it checks nothing. */
export function Conditions({ account, found }: { readonly account: string; readonly found: GoingLive }) {
  const queries = useQueryClient();
  const command = useCommand<GoingLive>({
    form: `check-live/${account}`,
    send: async (key, signal) => {
      const checked = await brought(client.POST("/api/v1/accounts/{account}/going-live/check", { params: { path: { account }, header: { "Idempotency-Key": key } }, signal }), key);
      queries.setQueryData(conditions(account).queryKey, checked);
      return checked;
    },
    isRecorded: (checked) => checked.checked_at !== null && found.checked_at !== null && Date.parse(found.checked_at) >= Date.parse(checked.checked_at),
  });
  const missing = found.conditions.filter((one) => !one.ok).length;
  const title = found.mode === "live" ? "Live" : missing === 0 ? "Every condition holds" : `${missing} of ${found.conditions.length} conditions do not hold`;
  return (
    <section className="panel stack">
      <h2>{found.checked_at === null ? "Not checked yet" : title}</h2>
      {found.checked_at === null ? (
        <p className="panel-note">Whether the conditions of going live hold is not known: nobody has had them checked.</p>
      ) : (
        <>
          <p className="panel-note">As checked <Moment at={found.checked_at} /> for <Author id={found.checked_by ?? ""} />. A change to live checks them all again.</p>
          <ul className="states">
            {found.conditions.map((one) => (
              <li key={one.code} className={one.ok ? "good" : "alarm"}>
                <span aria-hidden="true">{one.ok ? "●" : "▲"}</span> {one.code.replaceAll("-", " ")} <small>{one.reason}</small>
              </li>
            ))}
          </ul>
        </>
      )}
      <CommandForm command={command} ready action={`Check what ${account} lacks to go live`} recorded="Checked." />
    </section>
  );
}
