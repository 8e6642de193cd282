import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Page } from "@/app/Page";
import { KillSwitchButton } from "@/features/kill-switch/KillSwitchButton";
import { answers, show } from "@/test/harness";

import { ConnectionBadge } from "./ConnectionBadge";
import { setConnection } from "./connection";
import { LiveData } from "./LiveData";
import { Refresher } from "./refresh";
import { follow, LOST_MS, STALE_MS } from "./stream";
import { keysOf } from "./topics";

class FakeSource {
  static opened: FakeSource[] = [];
  onopen?: () => void;
  onerror?: () => void;
  closed = false;
  private readonly handlers = new Map<string, (event: unknown) => void>();
  constructor(readonly url: string) {
    FakeSource.opened.push(this);
  }
  addEventListener(kind: string, handler: (event: unknown) => void) {
    this.handlers.set(kind, handler);
  }
  close() {
    this.closed = true;
  }
  say(kind: string, data: unknown, lastEventId = "") {
    this.handlers.get(kind)?.({ data: JSON.stringify(data), lastEventId });
  }
}

const listener = () => ({ onRecord: vi.fn(), onOverview: vi.fn(), onResync: vi.fn(), onSessionEnded: vi.fn(), onLost: vi.fn() });
const HEARTBEAT = { at: "2026-11-28T12:00:00Z", record: "ok", exchange: "ok", feed: "ok" };

beforeEach(() => {
  FakeSource.opened = [];
  vi.stubGlobal("EventSource", FakeSource);
  act(() => setConnection("connecting"));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  act(() => setConnection("connecting"));
});

describe("the stream", () => {
  it("comes back with the last id that it has seen", () => {
    vi.useFakeTimers();
    const heard = listener();
    const stop = follow(heard);
    expect(FakeSource.opened[0]?.url).toBe("/api/v1/events");
    FakeSource.opened[0]?.say("record", { account: "company", topic: "orders", subject: "7" }, "company:5.abcde");
    FakeSource.opened[0]?.say("heartbeat", HEARTBEAT);
    FakeSource.opened[0]?.onerror?.();
    vi.advanceTimersByTime(600);
    expect(FakeSource.opened[1]?.url).toBe("/api/v1/events?after=company%3A5.abcde");
    expect(heard.onRecord).toHaveBeenCalledWith({ account: "company", topic: "orders", subject: "7" });
    stop();
    expect(FakeSource.opened[1]?.closed).toBe(true);
  });
  it("is live, catching up, stale and lost, each told apart", async () => {
    vi.useFakeTimers();
    await show(<ConnectionBadge />);
    const state = () => screen.getByRole("status").textContent ?? "";
    const stop = follow(listener());
    act(() => FakeSource.opened[0]?.onopen?.());
    act(() => FakeSource.opened[0]?.say("heartbeat", HEARTBEAT));
    expect(state()).toContain("Live");
    act(() => vi.advanceTimersByTime(STALE_MS + 1100));
    expect(state()).toContain("Stale");
    act(() => vi.advanceTimersByTime(LOST_MS - STALE_MS));
    expect(state()).toContain("Lost");
    act(() => FakeSource.opened[0]?.say("record", { account: "a", topic: "orders", subject: "" }, "a:1.a"));
    act(() => FakeSource.opened[0]?.onerror?.());
    act(() => vi.advanceTimersByTime(600));
    act(() => FakeSource.opened[1]?.onopen?.());
    expect(state()).toContain("Catching up");
    act(() => FakeSource.opened[1]?.say("caught-up", null, "a:1.a"));
    expect(state()).toContain("Live");
    stop();
  });
  it("whose session was replaced by a confirmation catches up, and is not called lost", async () => {
    vi.useFakeTimers();
    await show(<ConnectionBadge />);
    const heard = listener();
    const stop = follow(heard);
    act(() => FakeSource.opened[0]?.say("heartbeat", HEARTBEAT));
    act(() => FakeSource.opened[0]?.say("session-ended", null));
    expect(screen.getByRole("status").textContent).toContain("Catching up");
    expect(heard.onSessionEnded).toHaveBeenCalledTimes(1);
    expect(FakeSource.opened[0]?.closed).toBe(true);
    act(() => vi.advanceTimersByTime(600));
    act(() => FakeSource.opened[1]?.say("caught-up", null));
    expect(screen.getByRole("status").textContent).toContain("Live");
    stop();
  });
  it("shows heartbeats of record, exchange and feed apart", async () => {
    await show(<ConnectionBadge />);
    act(() => setConnection("live", { ...HEARTBEAT, exchange: "does not answer" }));
    expect(screen.getByRole("status").textContent).toContain("exchange: does not answer");
    expect(screen.getByRole("status").textContent).not.toContain("feed");
  });
  it("names the reads that an event makes old", () => {
    expect(keysOf({ account: "company", topic: "orders", subject: "7" })).toContainEqual(["account", "company", "orders"]);
    expect(keysOf({ account: "platform", topic: "kill-switch", subject: "1" })).toEqual([["kill-switch"]]);
    expect(keysOf({ account: "company", topic: "unheard-of", subject: "" })).toEqual([]);
  });
});

describe("an overview", () => {
  it("has what rests on the prices read again, and nothing else, at most every 20 seconds", async () => {
    vi.useFakeTimers();
    const reads: Record<string, number> = { portfolio: 0, orders: 0 };
    function Read({ topic }: { readonly topic: string }) {
      useQuery({ queryKey: ["account", "company", topic], queryFn: () => Promise.resolve((reads[topic] = (reads[topic] ?? 0) + 1)), staleTime: Infinity });
      return null;
    }
    render(
      <QueryClientProvider client={new QueryClient()}>
        <LiveData>
          <Read topic="portfolio" />
          <Read topic="orders" />
        </LiveData>
      </QueryClientProvider>,
    );
    const tells = () => act(async () => {
      FakeSource.opened[0]?.say("overview", {});
      await vi.advanceTimersByTimeAsync(5000);
    });
    for (let told = 0; told < 3; told += 1) await tells();
    expect(reads).toEqual({ portfolio: 1, orders: 1 });
    for (let told = 0; told < 3; told += 1) await tells();
    expect(reads).toEqual({ portfolio: 2, orders: 1 });
  });
});

describe("a lost connection", () => {
  it("disables everything on the page but the kill switch", async () => {
    answers({ "GET /api/v1/kill-switch": () => [] });
    await show(
      <>
        <KillSwitchButton accounts={["company"]} />
        <Page title="Tried">
          <button type="button">Buy</button>
        </Page>
      </>,
    );
    const buy = screen.getByRole("button", { name: "Buy" });
    act(() => setConnection("live", HEARTBEAT));
    expect(buy.matches(":disabled")).toBe(false);
    act(() => setConnection("lost"));
    expect(buy.matches(":disabled")).toBe(true);
    expect(screen.getByRole("button", { name: "Kill switch" }).matches(":disabled")).toBe(false);
  });
});

describe("reading again", () => {
  it("never cuts a read short and never misses the last change", async () => {
    vi.useFakeTimers();
    let reads = 0;
    const queries = {
      invalidateQueries: vi.fn(() => {
        reads += 1;
        return new Promise<void>((resolve) => setTimeout(resolve, 400));
      }),
    };
    const refresher = new Refresher(queries as never);
    for (let event = 0; event < 100; event += 1) {
      refresher.changed(["account", "company", "orders"]);
      await vi.advanceTimersByTimeAsync(10);
    }
    const during = reads;
    expect(during).toBeLessThanOrEqual(3);
    await vi.advanceTimersByTimeAsync(2000);
    expect(reads).toBe(during + 1);
  });
});
