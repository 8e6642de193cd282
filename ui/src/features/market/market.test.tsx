import { screen, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";

import { answers, show } from "@/test/harness";
import { aRoom } from "@/test/rows";

import { closestFirst } from "./CorrelationsPanel";
import { MarketPage } from "./MarketPage";

const DOUBTS = [
  { symbol: "ETH/USD", kind: "diverging", detail: "3.1 % apart", began_at: "2026-11-28T11:00:00Z", ended_at: null },
  { symbol: "BTC/USD", kind: "silent_source", detail: "nothing for 5 minutes", began_at: "2026-11-28T09:00:00Z", ended_at: "2026-11-28T09:12:00Z" },
];
const FOUND = {
  number: 4, at: "2026-11-28T00:05:00Z", market_time: "2026-11-28T00:00:00Z", target: 0.31,
  groups: [{ name: "BTC/USD", symbols: ["BTC/USD", "ETH/USD"] }, { name: "SOL/USD", symbols: ["SOL/USD"] }],
  estimates: [
    { first: "BTC/USD", second: "SOL/USD", value: 0.42, sample: null, returns: 3 },
    { first: "BTC/USD", second: "ETH/USD", value: 0.83, sample: 0.86, returns: 90 },
  ],
};
const MINUTES = [
  { symbol: "BTC/USD", at: "2026-11-28T12:00:00Z", spread_share: "0.0002", imbalance: "0.25", microprice: "49996", bid_depth: "12.5", ask_depth: "11", bought: "1.5", sold: "0.5", toxicity: null },
];
const known = (doubts: unknown = DOUBTS, found: unknown = FOUND): [unknown[], unknown][] => [
  [["control-room"], aRoom()], [["market", "doubts"], doubts], [["market", "correlations"], found], [["market", "work"], []], [["market", "sentiment"], []],
  [["market", "figures", "BTC/USD"], MINUTES],
];

describe("the page of the market", () => {
  it("shows what stands first, how long it lasted, and has no violations", async () => {
    await show(<MarketPage />, undefined, known());
    const table = within(screen.getByRole("region", { name: "1 doubt about the prices" }));
    expect(table.getByText("▲ stands")).toBeTruthy();
    expect(table.getByText("goes on")).toBeTruthy();
    expect(table.getByText(/12 min/)).toBeTruthy();
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
  it("names the groups, what moves together most first, and what could not be computed", async () => {
    await show(<MarketPage />, undefined, known());
    expect(screen.getByText("2 pairs, one risk")).toBeTruthy();
    const rows = within(screen.getByRole("region", { name: "Every two pairs" })).getAllByRole("row").slice(1);
    expect(rows[0]?.textContent).toContain("ETH/USD");
    expect(rows[0]?.textContent).toContain("one risk");
    expect(rows[1]?.textContent).toContain("too few returns in common");
    expect(closestFirst(FOUND.estimates)[0]?.second).toBe("ETH/USD");
  });
  it("shows book and trade flow of a pair, and what of it is not known", async () => {
    await show(<MarketPage />, undefined, known());
    const row = within(screen.getByRole("region", { name: "Book and trade flow of BTC/USD" })).getAllByRole("row")[1];
    expect(row?.textContent).toContain("+0.25");
    expect(row?.textContent).toContain("49,996");
    expect(row?.textContent).toContain("not known");
  });
  it("says that none were computed or found, which is not that there are none", async () => {
    await show(<MarketPage />, undefined, known([], null));
    expect(screen.getByText(/No correlations have been computed yet/)).toBeTruthy();
    expect(screen.getByText(/Where no second source of prices is followed, none can be/)).toBeTruthy();
  });
  it("takes no correlations yet for no failure", async () => {
    answers({ "GET /api/v1/market/doubts": () => [], "GET /api/v1/market/data-work": () => [], "GET /api/v1/market/sentiment": () => [], "GET /api/v1/market/figures": () => [] });
    await show(<MarketPage />, undefined, [[["control-room"], aRoom()]]);
    expect(await screen.findByText(/No correlations have been computed yet/)).toBeTruthy();
  });
});
