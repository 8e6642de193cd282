import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import { answers, DIRECTOR, show } from "@/test/harness";
import { aPreview, aRoom } from "@/test/rows";

import { ConfirmTrade, hasMoved } from "./ConfirmTrade";
import type { TradePreview } from "./ManualTradePage";

const BODY = { symbol: "BTC/USD", order_type: "market", stop_price: "49000" } as const;
const known = (ask = "50000") => {
  const room = aRoom();
  const [line] = room.market.symbols;
  if (line) room.market.symbols = [{ ...line, ask }];
  return [[["control-room"], room], [["account", "company", "trades", "list"], []]] as [unknown[], unknown][];
};

async function shown(preview: TradePreview, mode = "simulated", ask = "50000", onExpired = vi.fn()) {
  await show(<ConfirmTrade account="company" mode={mode} body={BODY} preview={preview} onExpired={onExpired} />, DIRECTOR, known(ask));
  return screen.getByRole<HTMLButtonElement>("button", { name: /0\.1 BTC\/USD for 5,013\.00 USD/ });
}

describe("a trade by hand", () => {
  it("names account, amount and mode on its button", async () => {
    expect((await shown(aPreview())).textContent).toBe("Buy for company (simulated): 0.1 BTC/USD for 5,013.00 USD");
  });
  it("live needs the account's name typed", async () => {
    const button = await shown(aPreview(), "live");
    expect(button.textContent).toContain("LIVE, real money of company");
    expect(button.disabled).toBe(true);
    fireEvent.change(screen.getByLabelText("Type company to confirm"), { target: { value: "compan" } });
    expect(button.disabled).toBe(true);
    fireEvent.change(screen.getByLabelText("Type company to confirm"), { target: { value: "company" } });
    expect(button.disabled).toBe(false);
  });
  it("with an estimated slippage of 3 % needs CONFIRM typed, simulated too", async () => {
    const button = await shown(aPreview({ slippage_share: "0.0300" }));
    expect(button.disabled).toBe(true);
    fireEvent.change(screen.getByLabelText("Type CONFIRM to confirm"), { target: { value: "CONFIRM" } });
    expect(button.disabled).toBe(false);
  });
  it("cannot be ordered by a preview whose price has moved, or that is old", async () => {
    expect((await shown(aPreview(), "simulated", "50200")).disabled).toBe(true);
    expect(screen.getByText(/holds no more: the price has moved to 50,200/)).toBeTruthy();
    expect(hasMoved("50000", "50100")).toBe(false);
    expect(hasMoved("50000", "49899")).toBe(true);
  });
  it("says first why it would be refused", async () => {
    const checks = [
      { rule: "L-1", code: "losses", passed: true, reason: "0 losses in a row against 4", figure: "0", limit: "4" },
      { rule: "L-2", code: "gross-exposure", passed: false, reason: "gross exposure 813 USD against 806 USD allowed", figure: "813", limit: "806" },
    ];
    await show(<ConfirmTrade account="company" mode="simulated" body={BODY} preview={aPreview({ allowed: false, checks })} onExpired={vi.fn()} />, DIRECTOR, known());
    const reasons = screen.getAllByText(/gross exposure 813 USD/);
    expect(reasons[0]?.tagName).toBe("P");
    expect(screen.getAllByRole("rowheader")[0]?.textContent).toContain("gross exposure");
  });
  it("cannot be ordered by an old preview", async () => {
    expect((await shown(aPreview({ at: new Date(Date.now() - 31_000).toISOString() }))).disabled).toBe(true);
    expect(screen.getByText(/older than 30 s/)).toBeTruthy();
  });
  it("shows the difference when the API finds the preview expired, and goes on with the new one", async () => {
    const fresh = aPreview({ price: "51000", value: "5113" });
    const asked = answers({
      "POST /api/v1/accounts/company/trades": () =>
        new Response(JSON.stringify({ type: "urn:aether:problem:preview-expired", detail: "the price was 50000 and is 51000", preview: fresh }), { status: 409 }),
    });
    const onExpired = vi.fn();
    const button = await shown(aPreview(), "simulated", "50000", onExpired);
    fireEvent.submit(button.closest("form") as HTMLFormElement);
    const table = (await screen.findByText("What has changed")).parentElement;
    expect(table?.textContent).toContain("50,000");
    expect(table?.textContent).toContain("51,000");
    fireEvent.click(screen.getByRole("button", { name: "Go on with the new preview" }));
    expect(onExpired).toHaveBeenCalledWith(fresh);
    expect(await asked[0]?.json()).toMatchObject({ quantity: "0.1", seen: { price: "50000", next_trade: 4 } });
  });
});
