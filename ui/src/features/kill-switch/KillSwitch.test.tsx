import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { answers, AUDITOR, show } from "@/test/harness";
import { aSwitch } from "@/test/rows";

import { Acknowledgements } from "./Acknowledgements";
import { KillSwitchButton } from "./KillSwitchButton";

describe("the kill switch", () => {
  it("stops in two steps, with nothing to type, and is one command however often it is pressed", async () => {
    let engaged = false;
    const asked = answers({
      "GET /api/v1/kill-switch": () => (engaged ? [aSwitch()] : []),
      "POST /api/v1/kill-switch": () => {
        engaged = true;
        return aSwitch();
      },
    });
    const { queries } = await show(<KillSwitchButton accounts={["company", "director-1"]} />);
    fireEvent.click(screen.getByRole("button", { name: "Kill switch" }));
    const stop = await screen.findByRole("button", { name: "Stop now: all accounts" });
    fireEvent.submit(stop.closest("form") as HTMLFormElement);
    await screen.findByText(/waiting for the record/);
    await queries.invalidateQueries({ queryKey: ["kill-switch"] });
    await screen.findByText("Kill switch 3 stands in the record.");
    const sent = asked.filter((request) => request.method === "POST");
    expect(sent).toHaveLength(1);
    expect(sent[0]?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f]{32}$/);
    expect(await sent[0]?.json()).toEqual({ reason: "stopped from the control room", flatten: false, accounts: [], symbols: [] });
  });
  it("stops the pairs that are named, and no other", async () => {
    const asked = answers({ "GET /api/v1/kill-switch": () => [], "POST /api/v1/kill-switch": () => aSwitch({ symbols: ["BTC/USD", "ETH/USD"] }) });
    await show(<KillSwitchButton accounts={["company"]} />);
    fireEvent.click(screen.getByRole("button", { name: "Kill switch" }));
    fireEvent.change(await screen.findByLabelText(/Only these pairs/), { target: { value: " btc/usd, ETH/USD," } });
    fireEvent.click(screen.getByRole("button", { name: "Stop now: all accounts" }));
    await waitFor(() => expect(asked.filter((request) => request.method === "POST")).toHaveLength(1));
    const sent = asked.find((request) => request.method === "POST");
    expect(((await sent?.json()) as { symbols: string[] }).symbols).toEqual(["BTC/USD", "ETH/USD"]);
  });
  it("names each account's acknowledgement with its time, and the missing ones in red", async () => {
    await show(<Acknowledgements engagement={aSwitch()} />);
    expect(screen.getByText("1 of 2 accounts have not acknowledged yet.")).toBeTruthy();
    expect(screen.getByText("2026-11-28 12:00:01 UTC")).toBeTruthy();
    const missing = screen.getByText(/not acknowledged: its workflow does not answer/);
    expect(missing.closest("tr")?.className).toBe("row-alarm");
  });
  it("says which right is lacking instead of showing a dead button", async () => {
    answers({ "GET /api/v1/kill-switch": () => [] });
    await show(<KillSwitchButton accounts={["company"]} />, AUDITOR);
    fireEvent.click(screen.getByRole("button", { name: "Kill switch" }));
    await waitFor(() => expect(screen.getByRole("note").textContent).toContain("kill_switch.engage"));
    expect(screen.getByRole("note").textContent).toContain("Ask a director or operator");
    expect(screen.queryByRole("button", { name: /Stop now/ })).toBeNull();
  });
});
