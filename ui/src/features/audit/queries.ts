import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import type { AuditSearch } from "@/app/router";

export type AuditEntry = components["schemas"]["AuditEntry"];

export interface AuditRows {
  readonly rows: readonly AuditEntry[];
  /** Where the next page begins; "" after the last. */
  readonly next: string;
}

const PAGE = 100;

/** What is asked of the whole record: everything but one chain as it stands. */
export function filtersOf(search: AuditSearch) {
  return {
    ...(search.scope && search.scope !== "all" ? { account: search.scope } : {}),
    ...(search.actor ? { actor: search.actor } : {}),
    ...(search.action ? { action: search.action } : {}),
    ...(search.correlation ? { correlation: search.correlation } : {}),
    ...(search.words ? { words: search.words } : {}),
    ...(search.since ? { since: `${search.since}T00:00:00Z` } : {}),
    ...(search.until ? { until: `${search.until}T23:59:59.999999Z` } : {}),
  };
}

export function isSearch(search: AuditSearch): boolean {
  return search.scope === "all" || Boolean(search.actor || search.correlation || search.words || search.since || search.until);
}

/** One chain is read as it stands; a search finds rows a few seconds after they were written. */
export const auditRows = (search: AuditSearch) =>
  infiniteQueryOptions({
    queryKey: ["audit", search.scope ?? "platform", filtersOf(search)],
    queryFn: ({ pageParam, signal }) => (isSearch(search) ? searched(search, pageParam, signal) : listed(search, pageParam, signal)),
    initialPageParam: "",
    getNextPageParam: (last: AuditRows) => last.next || null,
  });

async function searched(search: AuditSearch, cursor: string, signal: AbortSignal): Promise<AuditRows> {
  const found = await brought(client.GET("/api/v1/audit", { params: { query: { ...filtersOf(search), cursor, limit: PAGE } }, signal }));
  return { rows: found.entries, next: found.following };
}

async function listed(search: AuditSearch, before: string, signal: AbortSignal): Promise<AuditRows> {
  const scope = search.scope ?? "platform";
  const query = { limit: PAGE, ...(before ? { before: Number(before) } : {}), ...(search.action ? { action: search.action } : {}) };
  const rows = await brought(client.GET("/api/v1/audit/{scope}", { params: { path: { scope }, query }, signal }));
  return { rows, next: rows.length === PAGE ? String(rows.at(-1)?.sequence ?? "") : "" };
}

export const protection = queryOptions({
  queryKey: ["audit", "protection"],
  queryFn: ({ signal }) => brought(client.GET("/api/v1/record/protection", { signal })),
});

/** Where everything that is found can be had as one file. */
export function exportAddress(search: AuditSearch, format: "csv" | "ndjson"): string {
  const asked = new URLSearchParams({ ...filtersOf(search), account: search.scope === "all" ? "" : (search.scope ?? "platform"), format });
  if (!asked.get("account")) asked.delete("account");
  return `/api/v1/record/export?${asked.toString()}`;
}
