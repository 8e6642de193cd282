import { useQuery } from "@tanstack/react-query";

import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { Guarded } from "@/session/Guarded";

import { InvitePerson } from "./InvitePerson";
import { OwnFactors } from "./OwnFactors";
import { OwnPassword } from "./OwnPassword";
import { OwnSessions } from "./OwnSessions";
import { OwnTokens } from "./OwnTokens";
import { PersonActions } from "./PersonActions";
import { people } from "./queries";
import { Recoveries } from "./Recoveries";

type PersonView = components["schemas"]["PersonView"];

/** Who may do what, inviting and dismissing people, and one's own sessions and factors. */
export function PeoplePage() {
  return (
    <Page title="People">
      <Guarded right="people.read">
        <Recoveries />
        <Everybody />
      </Guarded>
      <OwnSessions />
      <OwnFactors />
      <OwnPassword />
      <OwnTokens />
    </Page>
  );
}

function Everybody() {
  const all = useQuery(people);
  return (
    <>
      <QueryState query={all} what="the people">
        {(rows) => (
          <Rows
            caption="People"
            rows={rows}
            keyOf={(row) => row.user_id}
            empty="Nobody yet."
            columns={[
              { name: "Person", cell: (row) => <><strong>{row.display_name}</strong> <small>{row.name}</small></> },
              { name: "Roles", cell: (row) => rolesOf(row) },
              { name: "Second factors", cell: (row) => (row.factors === 0 ? <span className="warn">⚠ none</span> : row.factors) },
              { name: "Signed in", cell: (row) => <Moment at={row.signed_in_at} unknown="never" /> },
              { name: "Since", cell: (row) => <Moment at={row.created_at} /> },
              { name: "Change", cell: (row) => (row.disabled_at ? "has left" : <PersonActions person={row} />) },
            ]}
          />
        )}
      </QueryState>
      <section className="panel stack">
        <h2>Invite</h2>
        <Guarded right="people.manage">
          <InvitePerson known={all.data ?? []} />
        </Guarded>
      </section>
    </>
  );
}

function rolesOf(person: PersonView): string {
  return person.grants.map((grant) => `${grant.role.replaceAll("_", " ")} of ${grant.account === "*" ? "all accounts" : grant.account}`).join(", ");
}
