import { fireEvent, screen } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";

import { LimitCards, nearestFirst } from "@/features/limits/LimitsPage";
import { sumOf } from "@/features/lots/LotsPage";
import { show } from "@/test/harness";
import { aRoom } from "@/test/rows";

import { OnboardingPage } from "./OnboardingPage";
import { noteLimitsSeen, stepsOf } from "./steps";

afterEach(() => globalThis.localStorage.clear());

const SCHEMA = { properties: { "risk.risk_share": { type: "string", description: "Share of equity lost at the stop.", default: "0.005", "x-unit": "share", "x-dangerous": "raising" } } };
const known = (trades: unknown[] = []): [unknown[], unknown][] => [
  [["control-room"], aRoom()],
  [["people", "list"], [{ user_id: "a1", disabled_at: null, factors: 1, grants: [{ role: "director", account: "*" }] }]],
  [["account", "company", "trades", "list"], trades],
  [["settings-definitions", "account"], SCHEMA],
  [["account", "company", "settings", "now"], { version: 1, values: { "risk.risk_share": "0.01" } }],
];

describe("the set-up", () => {
  it("names the next step, explains limits beside their defaults, and has no violations", async () => {
    await show(<OnboardingPage />, undefined, known());
    expect(screen.getByText(/Next: A second director/)).toBeTruthy();
    expect(screen.getByText(/Share of equity lost at the stop/)).toBeTruthy();
    expect(screen.getByText(/0\.50/)).toBeTruthy();
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
  it("is resumed where it was left", async () => {
    const { unmount } = await show(<OnboardingPage />, undefined, known());
    fireEvent.click(screen.getByRole("button", { name: "These limits suit company" }));
    unmount();
    await show(<OnboardingPage />, undefined, known([{ number: 1 }]));
    expect(screen.queryByRole("button", { name: "These limits suit company" })).toBeNull();
    expect(screen.getByText(/company has traded/)).toBeTruthy();
  });
  it("holds nothing up for what one may not see", () => {
    const steps = stepsOf({ directors: undefined, accounts: [{ account: "a", state: "trading", trades: 1 }], limitsSeen: ["a"] });
    expect(steps.some((one) => one.done === false)).toBe(false);
  });
  it("survives a store that somebody else filled", () => {
    globalThis.localStorage.setItem("aether.limits-seen", "{broken");
    expect(noteLimitsSeen("a")).toEqual(["a"]);
  });
});

describe("limits and gains", () => {
  const limit = (name: string, used: string | null) => ({ name, subject: "", share: used, soft: null, hard: "0.05", used, halted_at: null, resets: "at the day's end", refuses: used === null });
  it("puts what is unknown first, then what is nearest", () => {
    expect(nearestFirst([limit("a", "0.2"), limit("b", null), limit("c", "0.9")]).map((one) => one.name)).toEqual(["b", "c", "a"]);
  });
  it("sums nothing where a part is not known", () => {
    expect(sumOf(["0.1", "0.2"])).toBe("0.3");
    expect(sumOf(["0.1", null])).toBeNull();
  });
  it("says that entries are refused where nothing is known, and strikes out what rests on stale prices", async () => {
    await show(<LimitCards limits={[limit("day", null), limit("total", "0.9")]} stale="stale prices: BTC/USD" />);
    expect(screen.getByText("not known: entries are refused")).toBeTruthy();
    expect(screen.getByText(/No entries while this stands/)).toBeTruthy();
    expect(document.querySelectorAll("s").length).toBeGreaterThanOrEqual(1);
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
});
