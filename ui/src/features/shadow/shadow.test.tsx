import { screen, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { show } from "@/test/harness";

import { ShadowComparison } from "./ShadowPage";

const bar = { symbol: "BTC/USD", bar_start: "2026-11-28T11:00:00Z" };
const traded = (number: number, profit: string | null) => ({ failed: [], traded: { number, quantity: "0.1", entry_price: "50000", exit_price: null, fees: "13", profit } });
const REPORT: components["schemas"]["ShadowReport"] = {
  account: "company", shadow: "director-1", account_profit: "12.5", shadow_profit: "-4.25", counts: { both_traded: 1, only_shadow: 1, not_seen_by_shadow: 1 },
  ideas: [
    { ...bar, idea_id: "i1", agreement: "both_traded", account: traded(7, "12.5"), shadow: traded(9, "20"), profit_difference: "7.5" },
    { ...bar, idea_id: "i2", agreement: "only_shadow", account: { failed: ["not-worth-it"], traded: null }, shadow: traded(10, null), profit_difference: null },
    { ...bar, idea_id: "i3", agreement: "not_seen_by_shadow", account: { failed: [], traded: null }, shadow: null, profit_difference: null },
  ],
};

describe("an account beside its shadow", () => {
  it("shows both decisions on each idea, and has no violations", async () => {
    await show(<ShadowComparison report={REPORT} />);
    const rows = within(screen.getByRole("region", { name: "Idea by idea" })).getAllByRole("row").slice(1);
    expect(rows[0]?.textContent).toContain("both traded");
    expect(within(rows[0] as HTMLElement).getByRole("link", { name: "Trade 9" }).getAttribute("href")).toBe("/accounts/director-1/trades/9");
    expect(rows[1]?.textContent).toContain("not worth it");
    expect(rows[1]?.textContent).toContain("not settled on both sides");
    expect(rows[2]?.textContent).toContain("never saw it");
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
  it("counts how the decisions stand to each other", async () => {
    await show(<ShadowComparison report={REPORT} />);
    expect(screen.getByText("the shadow never saw it", { selector: "dt" }).nextElementSibling?.textContent).toBe("1");
  });
});
