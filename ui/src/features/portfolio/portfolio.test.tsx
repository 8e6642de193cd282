import { screen, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { setPresenter } from "@/app/presenter";
import { show } from "@/test/harness";
import { aRoom } from "@/test/rows";

import { PortfolioPage } from "./PortfolioPage";
import { heldTogether } from "./together";

type Portfolio = components["schemas"]["Portfolio"];
type Holding = components["schemas"]["Holding"];

const held = (asset: string, quantity: string, value: string | null, share: string | null): Holding => ({ asset, quantity, price: value === null ? null : "1", value, share, dust: "0" });
const folio = (changed: Partial<Portfolio> = {}): Portfolio => ({
  at: "2026-11-28T12:00:00Z", nav: "100000", cash: "60000", exposure: "40000", exposure_share: "0.4", unpriced: [], valued_at: "the bid",
  holdings: [held("BTC", "0.8", "40000", "0.4"), held("USD", "60000", "60000", "0.6")], since: "2026-10-29T12:00:00Z", return_share: "0.01", points: [], ...changed,
});

const DATA: components["schemas"]["Portfolios"] = {
  total: folio(),
  modes: { company: "live", "director-1": "simulated", "director-2": "simulated" },
  by_mode: { live: folio({ nav: "70123.45" }), simulated: folio({ unpriced: ["XRP"], holdings: [held("BTC", "0.8", "40000", "0.4"), held("XRP", "120", null, null)] }) },
  accounts: { company: folio({ nav: "70123.45" }), "director-1": folio({ holdings: [held("XRP", "120", null, null)], unpriced: ["XRP"] }), "director-2": folio({ nav: "999", holdings: [] }) },
};
const known = (data = DATA, room = aRoom()): [unknown[], unknown][] => [[["portfolios"], data], [["control-room"], room]];
const violations = async () => (await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } })).violations.map((one) => one.id);

describe("the portfolio over all accounts", () => {
  it("keeps live and simulated money apart, live first, and has no violations", async () => {
    await show(<PortfolioPage />, undefined, known());
    expect(screen.getAllByRole("heading", { level: 2 }).map((one) => one.textContent).filter((text) => / money/.test(text ?? ""))).toEqual(["Live money: one account", "Simulated money: 2 accounts"]);
    const live = within(screen.getByRole("region", { name: "By account (live)" }));
    expect(live.getByText("company")).toBeTruthy();
    expect(live.queryByText("director-1")).toBeNull();
    expect(await violations()).toEqual([]);
  });
  it("says what has no price instead of counting it as nothing", async () => {
    await show(<PortfolioPage />, undefined, known());
    expect(screen.getByText(/without XRP: no price here/)).toBeTruthy();
    const row = within(screen.getByRole("region", { name: "Exposure by asset (simulated)" })).getByText("XRP").closest("tr") as HTMLElement;
    expect(within(row).getAllByText("no price").length).toBeGreaterThanOrEqual(3);
  });
  it("strikes out what rests on stale prices, and not the cash", async () => {
    await show(<PortfolioPage />, undefined, known(DATA, aRoom({ prices_unknown: "stale prices" })));
    const facts = screen.getByText("Live money: one account").closest("section") as HTMLElement;
    expect(within(facts).getByText(/70.123\.45/).closest("s")).toBeTruthy();
    expect(within(facts).getByText(/60.000\.00/).closest("s")).toBeNull();
  });
  it("hides amounts in the presenter's view", async () => {
    setPresenter(true);
    await show(<PortfolioPage />, undefined, known());
    expect(screen.queryByText(/70.123\.45/)).toBeNull();
    setPresenter(false);
  });
  it("tells who may see no account", async () => {
    await show(<PortfolioPage />, undefined, known({ ...DATA, by_mode: {}, modes: {}, accounts: {} }));
    expect(screen.getByText("There is no account that you may see.")).toBeTruthy();
  });
  it("names who holds how much of an asset", () => {
    expect(heldTogether(folio(), { a: folio(), b: folio({ holdings: [] }) })[0]?.by.map((one) => one.account)).toEqual(["a"]);
  });
});
