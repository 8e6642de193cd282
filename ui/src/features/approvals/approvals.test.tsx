import { act, screen } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { setConnection } from "@/live/connection";
import { answers, DIRECTOR, OPERATOR, show } from "@/test/harness";
import { aRoom } from "@/test/rows";

import { ApprovalCard } from "./ApprovalsPage";

const APPROVAL = {
  approval_id: "a1", account_id: "company", subject: "entry", requested_by: "user/b1", detail: "buying 0.6 BTC/USD", requested_at: "2026-11-28T12:00:00Z", expires_at: "2099-11-28T16:00:00Z",
  status: "pending", symbol: "BTC/USD", reference_price: "64001.2", stop_price: "62500", value: "38640.12", trade: null, price_tolerance: "0.01",
} as unknown as components["schemas"]["Approval"];
const KNOWN: readonly [unknown[], unknown][] = [[["control-room"], aRoom()], [["approvals", "list"], [APPROVAL]]];

beforeEach(() => {
  act(() => setConnection("live"));
  answers({ "GET /api/v1/approvals": () => [APPROVAL] });
});

describe("a request that waits", () => {
  it("is approved or refused by who may do both, and has no violations", async () => {
    await show(<ApprovalCard approval={APPROVAL} />, DIRECTOR, KNOWN);
    expect(screen.getByRole("button", { name: "Approve for company" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Refuse" })).toBeTruthy();
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
  it("shows who may only refuse which right approving takes", async () => {
    await show(<ApprovalCard approval={APPROVAL} />, OPERATOR, KNOWN);
    expect(screen.queryByRole("button", { name: /^Approve/ })).toBeNull();
    expect(screen.getByText("approval.approve")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Refuse" })).toBeTruthy();
  });
  it("is not approved by who asked for it", async () => {
    await show(<ApprovalCard approval={{ ...APPROVAL, requested_by: DIRECTOR.user }} />, DIRECTOR, KNOWN);
    expect(screen.queryByRole("button", { name: /^Approve/ })).toBeNull();
    expect(screen.getByText(/another person approves it/)).toBeTruthy();
  });
});
