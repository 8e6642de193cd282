import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { act, render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";

import type { RightsTable } from "@/session/rights";
import { type Person, SessionProvider } from "@/session/session";

const SESSION = { session: "s1", opened_at: "2026-11-28T12:00:00Z", ends_at: new Date(Date.now() + 3_600_000).toISOString(), needs_recovery_codes: false };
export const DIRECTOR: Person = { user: "user/a1", name: "anna", display_name: "Anna", grants: [{ role: "director", account: "*" }], ...SESSION };
export const AUDITOR: Person = { user: "user/o1", name: "otto", display_name: "Otto", grants: [{ role: "auditor", account: "*" }], ...SESSION };

export const OPERATOR: Person = { user: "user/p1", name: "olga", display_name: "Olga", grants: [{ role: "operator", account: "*" }], ...SESSION };

const RIGHTS: RightsTable = {
  operations: {},
  rights: ["kill_switch.engage", "trade.open", "key.manage", "notification.acknowledge", "backtest.run", "trade.protect", "recovery.cancel", "stress.run", "drawdown.lift", "kill_switch.lift", "approval.refuse"].map((action) => ({
    action, scope: "account", roles: ["director", "operator"], tokens: true, tokens_of_the_machine_on_live_accounts: true, step_up: false,
  })).concat([{ action: "approval.approve", scope: "account", roles: ["director"], tokens: false, tokens_of_the_machine_on_live_accounts: false, step_up: true }]),
};

export interface Shown extends RenderResult {
  readonly queries: QueryClient;
}

/** Show something as a page would: somebody is signed in, links lead somewhere, reads are kept. */
export async function show(children: ReactNode, person: Person = DIRECTOR, known: readonly [unknown[], unknown][] = []): Promise<Shown> {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } });
  queries.setQueryData(["rights"], RIGHTS);
  queries.setQueryData(["people", "directory"], []);
  for (const [key, data] of known) queries.setQueryData(key, data);
  const root = createRootRoute({ component: () => children });
  const router = createRouter({ routeTree: root, history: createMemoryHistory({ initialEntries: ["/"] }), defaultNotFoundComponent: () => <>{children}</> });
  await router.load();
  const result = render(
    <QueryClientProvider client={queries}>
      <SessionProvider value={{ person, signOut: () => Promise.resolve() }}>
        <RouterProvider router={router as never} />
      </SessionProvider>
    </QueryClientProvider>,
  );
  await act(async () => undefined);
  return { ...result, queries };
}

/** Answer requests of the client: by method and path. */
export function answers(routes: Readonly<Record<string, (request: Request) => unknown>>): Request[] {
  const asked: Request[] = [];
  globalThis.fetch = (async (input: Request) => {
    asked.push(input.clone());
    const { pathname } = new URL(input.url);
    const route = routes[`${input.method} ${pathname}`];
    if (!route) return new Response(JSON.stringify({ type: "urn:aether:problem:not-found", detail: pathname }), { status: 404 });
    const found = await route(input);
    return found instanceof Response ? found : new Response(JSON.stringify(found), { status: 200, headers: { "Content-Type": "application/json" } });
  }) as typeof fetch;
  return asked;
}
