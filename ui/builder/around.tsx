import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import type { RightsTable } from "@/session/rights";
import { type Person, SessionProvider } from "@/session/session";

const OTTO: Person = {
  user: "user/o1", name: "otto", display_name: "Otto", grants: [{ role: "auditor", account: "*" }],
  session: "s1", opened_at: "2026-11-28T12:00:00Z", ends_at: "2099-11-28T12:00:00Z", needs_recovery_codes: false,
};
const RIGHTS: RightsTable = {
  operations: {},
  rights: [
    { action: "trade.open", scope: "account", roles: ["director"], tokens: true, tokens_of_the_machine_on_live_accounts: false, step_up: false },
    { action: "audit.read", scope: "account", roles: ["auditor", "director"], tokens: true, tokens_of_the_machine_on_live_accounts: true, step_up: false },
  ],
};

export interface AroundProps {
  readonly children: ReactNode;
}

/** What surrounds a component on a page: an auditor has signed in, links lead nowhere, nothing is asked for. */
export function Around({ children }: AroundProps) {
  const [queries] = useState(() => {
    const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } });
    client.setQueryData(["rights"], RIGHTS);
    client.setQueryData(["people", "directory"], []);
    return client;
  });
  const [router] = useState(() => {
    const shown = () => <>{children}</>;
    return createRouter({ routeTree: createRootRoute({ component: shown }), history: createMemoryHistory({ initialEntries: ["/"] }), defaultNotFoundComponent: shown });
  });
  return (
    <QueryClientProvider client={queries}>
      <SessionProvider value={{ person: OTTO, signOut: () => Promise.resolve() }}>
        <RouterProvider router={router as never} />
      </SessionProvider>
    </QueryClientProvider>
  );
}
