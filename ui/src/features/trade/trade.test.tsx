import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { answers, show } from "@/test/harness";

import { changeOf, ExitsControl } from "./ExitsControl";
import { ExplanationPanel } from "./ExplanationPanel";

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
    const shown = await show(<ExplanationPanel explanation={{ bound_by: null, contributions: weights, feature_hash: "f", idea_id: "i", of: "of the model, not of the market", probability: 0.61, regime: "rising", stake: 0.4, trade: 7, version: 3 }} />);
    const rows = screen.getAllByRole("rowheader").map((cell) => cell.textContent);
    expect(rows).toEqual(["loud feature", "calm feature"]);
    shown.unmount();
    await show(<ExplanationPanel explanation={null} />);
    expect(screen.getByText("No learned model has judged this idea.")).toBeTruthy();
  });
});
