import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { answers, show } from "@/test/harness";

import { changeOf, ExitsControl } from "./ExitsControl";
import { ExplanationPanel } from "./ExplanationPanel";
import { SizeAndVerdict } from "./SizeAndVerdict";
import { TradeFacts } from "./TradeFacts";

type Trade = components["schemas"]["Trade"];

const aTrade = (changed: Partial<Trade["exits"]> = {}): Trade =>
  ({
    number: 7, stop_price: "48000", bought: "0.1", sold: "0", average_entry_price: "50000", phase: "open",
    exits: { stop_price: "48000", take_profit_price: "55000", trailing_distance: null, trailing_share: null, trailing_multiple: null, hold_maximum: null, break_even_gain: null, break_even_offset: null, partials: [], ...changed },
  }) as unknown as Trade;

describe("the exits of a trade", () => {
  it("are changed where they differ, and taken away where nothing stands", () => {
    expect(changeOf(aTrade(), "55000.00", "")).toEqual({});
    expect(changeOf(aTrade(), "56000", "400")).toEqual({ take_profit_price: "56000", trailing_distance: "400" });
    expect(changeOf(aTrade({ trailing_distance: "400" }), "", "")).toEqual({ clear: ["take_profit_price", "trailing_distance"] });
    expect(changeOf(aTrade(), "5,5", "")).toBeUndefined();
  });

  it("that protect less wait for another person, and say so", async () => {
    answers({ "PATCH /api/v1/accounts/company/trades/7/exits": () => ({ code: "waiting", detail: "", approval: "a1", checks: [], trade: 7, workflow: null, client_order_id: null }) });
    await show(<ExitsControl account="company" mode="simulated" trade={aTrade()} />);
    fireEvent.change(screen.getByLabelText(/^Target/), { target: { value: "" } });
    fireEvent.submit(screen.getByRole("button", { name: "Change the exits of company's trade 7: no target", hidden: true }).closest("form") as HTMLFormElement);
    expect(await screen.findByText(/another person approves it under Approvals/)).toBeTruthy();
  });
});

describe("what a model made of an idea", () => {
  it("names what weighed most first, and that no model judged where none did", async () => {
    const weights = { calm_feature: 0.01, loud_feature: -0.5 };
    const features = [{ name: "calm_feature", unit: "1", value: null }, { name: "loud_feature", unit: "1", value: 0.25 }];
    const shown = await show(<ExplanationPanel explanation={{ bound_by: null, contributions: weights, features, feature_hash: "f", idea_id: "i", of: "of the model, not of the market", probability: 0.61, regime: "rising", stake: 0.4, trade: 7, version: 3 }} />);
    const rows = screen.getAllByRole("rowheader").map((cell) => cell.textContent);
    expect(rows).toEqual(["loud feature", "calm feature"]);
    expect(screen.getAllByText(/^0\.2500/).length).toBe(2);
    expect(screen.getAllByText("not known then").length).toBe(2);
    shown.unmount();
    await show(<ExplanationPanel explanation={null} />);
    expect(screen.getByText("No learned model has judged this idea.")).toBeTruthy();
  });
  it("says where the features have the names of another release", async () => {
    await show(<ExplanationPanel explanation={{ bound_by: null, contributions: { loud: 1 }, features: null, feature_hash: "f", idea_id: "i", of: "", probability: 0.61, regime: "rising", stake: 0.4, trade: 7, version: 3 }} />);
    expect(screen.getByText("named by another release")).toBeTruthy();
  });
});

describe("what a trade came to", () => {
  it("tells its entry, how much rested, and what that saved", async () => {
    const trade = { ...aTrade(), symbol: "BTC/USD", source: "request/x", refusals: [], fees: "1", slippage: "0", unprotected_seconds: "0", bought: "0.1", quantity: "0.1", entry_result: "crossed", maker_share: "0.25", fees_saved: "1.5" } as unknown as Trade;
    await show(<TradeFacts trade={trade} />);
    expect(screen.getByText("rested, then crossed the spread")).toBeTruthy();
    expect(screen.getByText("25.00 %")).toBeTruthy();
    expect(screen.getByText("1.50 USD")).toBeTruthy();
  });
});

describe("what a size was decided by", () => {
  const assessed = { approval: null, binding: null, caps: [], checks: [], costs: null, platform_version: 0, quantity: "1", settings_version: 0, trade: 7 };
  it("shows the evidence that the entry rests on", async () => {
    const expectation = { counted: "0.004", expected: "0.006", mean: "0.01", results: 41, source: "walk_forward", spread: "0.002" };
    await show(<SizeAndVerdict assessment={{ ...assessed, basis: "evidence", expectation }} />);
    expect(screen.getByText("Rests on the results of its strategy so far.")).toBeTruthy();
    expect(document.body.textContent).toContain("0.400\u202f%");
    expect(document.body.textContent).toContain("of 41");
  });
  it("says that it rests on nothing where it does", async () => {
    await show(<SizeAndVerdict assessment={{ ...assessed, basis: "no_expectation", expectation: null }} />);
    expect(screen.getByText(/Rests on no expectation/)).toBeTruthy();
  });
});
