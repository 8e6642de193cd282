import { QueryClient, QueryClientProvider, queryOptions, useQuery } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { setConnection } from "@/live/connection";

import { Figure } from "./Figure";
import { QueryState, type QueryStateProps } from "./QueryState";

interface Held {
  readonly value: string;
  readonly as_of: string;
}

const NOW = new Date("2026-11-28T12:00:00Z");
const read = vi.fn<() => Promise<Held>>();
const held = queryOptions({ queryKey: ["held"], queryFn: () => read(), staleTime: Infinity, retry: false });
let queries: QueryClient;

function Held(props: Omit<QueryStateProps<Held>, "query" | "what" | "children">) {
  const found = useQuery(held);
  return <QueryState query={found} what="what is held" {...props}>{(data) => <Figure value={data.value} kind="money" />}</QueryState>;
}

const shown = (props: Parameters<typeof Held>[0] = {}) => render(<QueryClientProvider client={queries}><Held {...props} /></QueryClientProvider>);
const passes = (seconds: number) => act(() => vi.advanceTimersByTime(seconds * 1000));
const struck = () => document.querySelector("s")?.textContent;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  queries = new QueryClient();
  queries.setQueryData(held.queryKey, { value: "10", as_of: NOW.toISOString() });
  act(() => setConnection("live"));
});
afterEach(() => {
  act(() => setConnection("connecting"));
  vi.useRealTimers();
});

describe("a figure that was read", () => {
  it("is as it was read for as long as the stream tells of changes", () => {
    shown();
    passes(3600);
    act(() => setConnection("live"));
    expect(screen.getByText("10.00")).toBeTruthy();
    expect(struck()).toBeUndefined();
  });
  it.each(["stale", "lost", "catching up"] as const)("is struck out with its age once the stream is %s for longer than its budget", (state) => {
    shown();
    passes(3600);
    act(() => setConnection("live"));
    act(() => setConnection("catching up"));
    act(() => setConnection("live"));
    passes(10);
    act(() => setConnection(state));
    expect(struck()).toBeUndefined();
    passes(6);
    expect(struck()).toBe("10.00");
    expect(screen.getByText("16 s old")).toBeTruthy();
    act(() => setConnection("live"));
    expect(struck()).toBeUndefined();
  });
  it("that could not be read again is as old as its last reading, though the stream lives", async () => {
    shown();
    passes(3600);
    act(() => setConnection("live"));
    read.mockRejectedValue(new Error("no"));
    await act(async () => {
      await queries.refetchQueries({ queryKey: held.queryKey });
      await vi.advanceTimersByTimeAsync(1000);
    });
    expect(struck()).toBe("10.00");
    expect(screen.getByText(/^1 h/)).toBeTruthy();
  });
  it("that moves with the prices ages while the stream lives", () => {
    shown({ priced: true });
    passes(50);
    expect(struck()).toBeUndefined();
    passes(11);
    act(() => setConnection("live"));
    expect(struck()).toBe("10.00");
    expect(screen.getByText("1 min old")).toBeTruthy();
  });
  it("is as old as the platform says, where it does", () => {
    queries.setQueryData(held.queryKey, { value: "10", as_of: "2026-11-28T11:58:00Z" });
    shown({ asOf: (data) => data.as_of, budgetSeconds: 180 });
    expect(struck()).toBeUndefined();
    passes(62);
    act(() => setConnection("live"));
    expect(struck()).toBe("10.00");
  });
  it("of what is over does not age", () => {
    shown({ lasting: true });
    act(() => setConnection("lost"));
    passes(3600);
    expect(struck()).toBeUndefined();
  });
});
