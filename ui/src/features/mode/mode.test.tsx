import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { setConnection } from "@/live/connection";
import { answers, show } from "@/test/harness";

import { Conditions } from "./Conditions";

type GoingLive = components["schemas"]["GoingLive"];

const NEVER: GoingLive = { account: "company", mode: "simulated", ready: false, checked_at: null, checked_by: null, request: null, requested_by: null, approved_by: null, conditions: [] };
const CHECKED: GoingLive = { ...NEVER, checked_at: "2026-11-28T12:00:00Z", checked_by: "aether", conditions: [{ code: "no-live-key", ok: false, reason: "there is no live key" }, { code: "limits-not-set", ok: true, reason: "version 3" }] };

beforeEach(() => act(() => setConnection("live")));

describe("the conditions of going live", () => {
  it("that nobody had checked are not known, and reading them starts nothing", async () => {
    const asked = answers({});
    await show(<Conditions account="company" found={NEVER} />);
    expect(screen.getByRole("heading", { name: "Not checked yet" })).toBeTruthy();
    expect(screen.queryByText("Every condition holds")).toBeNull();
    expect(asked).toEqual([]);
  });
  it("are checked when asked for, once", async () => {
    const asked = answers({ "POST /api/v1/accounts/company/going-live/check": () => CHECKED });
    await show(<Conditions account="company" found={NEVER} />);
    const check = screen.getByRole("button", { name: "Check what company lacks to go live" });
    fireEvent.click(check);
    fireEvent.click(check);
    await waitFor(() => expect(asked).toHaveLength(1));
    expect(asked[0]?.headers.get("Idempotency-Key")).toBeTruthy();
  });
  it("carry the time of their check, and have no violations", async () => {
    await show(<Conditions account="company" found={CHECKED} />);
    expect(screen.getByRole("heading", { name: "1 of 2 conditions do not hold" })).toBeTruthy();
    expect(screen.getByText(/As checked/).textContent).toContain("aether");
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
});
