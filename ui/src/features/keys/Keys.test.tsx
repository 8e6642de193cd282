import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { answers, AUDITOR, show } from "@/test/harness";

import { Keys } from "./KeysPage";
import type { KeyView } from "./UploadKey";

const PATH = "/api/v1/accounts/company/keys";

function aKey(changes: Partial<KeyView> = {}): KeyView {
  return {
    account: "company", mode: "live", number: 1, ending: "Ab12", state: "in_use", stored_at: "2026-08-01T12:00:00Z", stored_by: "user/a1",
    ended_at: null, age_days: 12, due: false, rotate_after_days: 90, permissions: ["modify_orders"], validated_at: "2026-11-28T12:00:00Z",
    validation: "ok", trading_since: "2026-08-01T12:00:02Z", ...changes,
  };
}

const typeIn = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });

describe("the keys of an account", () => {
  it("shows state, age and last validation, and says when a key is to be rotated or not fit", async () => {
    answers({ [`GET ${PATH}`]: () => [aKey({ due: true, age_days: 91, validation: "key-may-withdraw" }), aKey({ number: 2, mode: "simulated", trading_since: null })] });
    await show(<Keys account="company" />);
    expect(await screen.findByText(/91 days: rotate it/)).toBeTruthy();
    expect(screen.getByText(/key may withdraw/)).toBeTruthy();
    expect(screen.getByText("stored, not traded with yet")).toBeTruthy();
  });

  it("uploads once, empties the fields, and shows what the exchange said", async () => {
    const rows: KeyView[] = [];
    const asked = answers({
      [`GET ${PATH}`]: () => rows,
      [`POST ${PATH}`]: () => {
        rows.push(aKey());
        return aKey();
      },
    });
    await show(<Keys account="company" />);
    typeIn("API key", "the-public-half");
    typeIn("Private key", "the-private-half");
    expect((screen.getByLabelText("Private key") as HTMLInputElement).type).toBe("password");
    const button = screen.getByRole("button", { name: "Store a live key for company" });
    fireEvent.submit(button.closest("form") as HTMLFormElement);
    await screen.findByText(/The exchange knows the key …Ab12; it may modify orders/);
    await screen.findByText("Validated and stored.");
    expect((screen.getByLabelText("Private key") as HTMLInputElement).value).toBe("");
    const sent = asked.filter((request) => request.method === "POST");
    expect(sent).toHaveLength(1);
    expect(await sent[0]?.json()).toEqual({ mode: "live", key: "the-public-half", private_key: "the-private-half" });
    expect(document.body.innerHTML).not.toContain("the-private-half");
    expect(JSON.stringify({ ...sessionStorage, ...localStorage })).not.toContain("half");
  });

  it("says why a key was refused, and that nothing was stored", async () => {
    answers({
      [`GET ${PATH}`]: () => [aKey()],
      [`POST ${PATH}`]: () =>
        new Response(JSON.stringify({ type: "urn:aether:problem:key-may-withdraw", status: 422, detail: "The key has a right that it must not have: withdraw_funds." }), {
          status: 422, headers: { "Content-Type": "application/problem+json" },
        }),
    });
    await show(<Keys account="company" />);
    await screen.findAllByText(/…Ab12/);
    typeIn("API key", "a");
    typeIn("Private key", "b");
    const button = screen.getByRole("button", { name: "Rotate the live key …Ab12 of company" });
    fireEvent.submit(button.closest("form") as HTMLFormElement);
    expect(await screen.findByText(/must not have: withdraw_funds/)).toBeTruthy();
    expect(screen.getByText(/trading goes on with the key before/)).toBeTruthy();
  });

  it("says which right is lacking instead of showing a form", async () => {
    answers({ [`GET ${PATH}`]: () => [] });
    await show(<Keys account="company" />, AUDITOR);
    await waitFor(() => expect(screen.getByText(/store and rotate exchange keys/)).toBeTruthy());
    expect(screen.queryByLabelText("Private key")).toBeNull();
  });
});
