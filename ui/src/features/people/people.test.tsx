import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { answers, show } from "@/test/harness";
import { aRoom } from "@/test/rows";

import { OwnFactors } from "./OwnFactors";
import { OwnPassword } from "./OwnPassword";
import { OwnTokens } from "./OwnTokens";
import { Recoveries } from "./Recoveries";

const AT = "2026-11-28T12:00:00Z";
const factor = (id: string) => ({ factor_id: id, kind: "totp", label: `phone ${id}`, created_at: AT, last_used_at: null });
const typeIn = (label: string | RegExp, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });

describe("one's own second factors", () => {
  it("can be removed but for the only one", async () => {
    answers({ "GET /api/v1/me/factors": () => ({ factors: [factor("a")], recovery_codes: 8 }) });
    await show(<OwnFactors />);
    expect(await screen.findByText("the only one")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Remove …" })).toBeNull();
  });

  it("show new recovery codes this once, and forget them", async () => {
    answers({
      "GET /api/v1/me/factors": () => ({ factors: [factor("a"), factor("b")], recovery_codes: 2 }),
      "POST /api/v1/me/recovery-codes": () => ({ recovery_codes: ["one-code", "two-code"] }),
    });
    await show(<OwnFactors />);
    fireEvent.click(await screen.findByRole("button", { name: "New recovery codes" }));
    fireEvent.submit(screen.getByRole("button", { name: "Make new codes" }).closest("form") as HTMLFormElement);
    expect(await screen.findByText(/one-code/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: /They are kept/ }));
    await waitFor(() => expect(document.body.textContent).not.toContain("one-code"));
  });
});

describe("one's own password", () => {
  it("is sent once it was typed twice alike, and is kept nowhere", async () => {
    const asked = answers({ "POST /api/v1/me/password": () => ({ done: true }) });
    await show(<OwnPassword />);
    typeIn("Password now", "the old one");
    typeIn("New password", "a new one of words");
    typeIn("New password again", "another");
    expect(screen.getByText("Not the same")).toBeTruthy();
    expect((screen.getByRole("button", { name: "Set the new password", hidden: true }) as HTMLButtonElement).disabled).toBe(true);
    typeIn("New password again", "a new one of words");
    fireEvent.submit(screen.getByRole("button", { name: "Set the new password", hidden: true }).closest("form") as HTMLFormElement);
    await screen.findByText(/your other sessions have ended/);
    expect(await asked[0]?.json()).toEqual({ current: "the old one", password: "a new one of words" });
    expect((screen.getByLabelText("New password") as HTMLInputElement).value).toBe("");
  });
});

describe("one's own tokens", () => {
  it("are made for chosen rights, an account and some days, and shown this once", async () => {
    const made: unknown[] = [];
    const asked = answers({
      "GET /api/v1/me/tokens": () => made,
      "POST /api/v1/me/tokens": () => {
        made.push({ token_id: "t1", user_id: "user/a1", label: "sheet", scopes: ["trade.open"], accounts: ["company"], created_at: AT, expires_at: AT, last_used_at: null, revoked_at: null });
        return { token_id: "t1", token: "shown-this-once", expires_at: AT };
      },
    });
    await show(<OwnTokens />, undefined, [[["control-room"], aRoom()]]);
    fireEvent.change(await screen.findByLabelText("Name of it"), { target: { value: "sheet" } });
    fireEvent.click(screen.getByLabelText("trade.open"));
    fireEvent.change(screen.getByLabelText("Account"), { target: { value: "company" } });
    typeIn(/^Valid for/, "91");
    expect((screen.getByRole("button", { name: /^Make the token/, hidden: true }) as HTMLButtonElement).disabled).toBe(true);
    typeIn(/^Valid for/, "7");
    fireEvent.submit(screen.getByRole("button", { name: "Make the token sheet for 7 days", hidden: true }).closest("form") as HTMLFormElement);
    expect(await screen.findByText("shown-this-once")).toBeTruthy();
    const sent = asked.filter((request) => request.method === "POST");
    expect(sent).toHaveLength(1);
    expect(await sent[0]?.json()).toEqual({ label: "sheet", scopes: ["trade.open"], accounts: ["company"], days: 7 });
  });
});

describe("a recovery on the machine", () => {
  it("is shown to everybody, with when it takes effect, and can be stopped", async () => {
    const rows = [{ recovery_id: "r1", user_id: "user/b1", asked_by: "machine", asked_at: AT, effective_at: "2026-11-29T12:00:00Z", kill_switch: 4 }];
    const asked = answers({
      "GET /api/v1/recoveries": () => rows,
      "POST /api/v1/recoveries/r1/cancel": () => {
        rows.pop();
        return { done: true };
      },
    });
    await show(<Recoveries />);
    expect(await screen.findByText(/Kill switch 4 stands because of it/)).toBeTruthy();
    fireEvent.submit(screen.getByRole("button", { name: "Stop this recovery" }).closest("form") as HTMLFormElement);
    await waitFor(() => expect(asked.some((request) => request.method === "POST")).toBe(true));
    await waitFor(() => expect(screen.queryByText(/Kill switch 4/)).toBeNull());
  });
});
