import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";

import { Rows } from "@/components/Rows";
import { AccountCard } from "@/features/overview/AccountCard";
import { setConnection } from "@/live/connection";
import { CodesNeeded } from "@/session/CodesNeeded";
import { DIRECTOR, show } from "@/test/harness";
import { anAccount } from "@/test/rows";

import { Page } from "./Page";
import { setPresenter } from "./presenter";

afterEach(() => {
  act(() => setPresenter(false));
  act(() => setConnection("connecting"));
});

describe("a page", () => {
  it("shows its mode in text, frame, title and icon", async () => {
    const icon = document.createElement("link");
    icon.rel = "icon";
    document.head.append(icon);
    await show(<Page title="Hedge" account="company" mode="live">…</Page>);
    expect(screen.getByText("LIVE: real money of company")).toBeTruthy();
    expect(document.documentElement.dataset.mode).toBe("live");
    expect(document.title).toBe("LIVE Hedge company – Aether");
    expect(icon.href).toContain("favicon-live.svg");
    icon.remove();
  });
});

describe("recovery codes", () => {
  const asked = /no recovery codes left/;
  it("are asked for in the menu when none is left, as after a restore", async () => {
    await show(<CodesNeeded />, { ...DIRECTOR, needs_recovery_codes: true });
    expect(screen.getByRole("link", { name: asked }).getAttribute("href")).toBe("/people");
  });
  it("are not mentioned to whoever has some", async () => {
    await show(<CodesNeeded />);
    expect(screen.queryByText(asked)).toBeNull();
  });
});

describe("the card of an account", () => {
  const at = () => new Date().toISOString();
  it("says why it is halted, how near its limits are, and what is bare", async () => {
    const account = anAccount({ state: "halted", why: "daily loss of 5 %", unprotected: 1, unprotected_since: new Date(Date.now() - 4000).toISOString() });
    await show(<AccountCard account={account} asOf={at()} budgetSeconds={15} />);
    expect(screen.getByText("daily loss of 5 %")).toBeTruthy();
    expect(screen.getByText("near the limit")).toBeTruthy();
    expect(screen.getByText(/1 trade, for [3-6] s/)).toBeTruthy();
  });
  it("never shows zero for what is unknown", async () => {
    const unknown = "no price for XRP";
    const account = anAccount({ equity: null, unknown, day_share: null, exposure: { value: null, limit: "0.8", unknown }, day: { value: null, limit: "0.05", unknown } });
    await show(<AccountCard account={account} asOf={at()} budgetSeconds={15} />);
    expect(screen.getAllByText(unknown).length).toBeGreaterThanOrEqual(3);
  });
  it("strikes out what rests on stale prices", async () => {
    await show(<AccountCard account={anAccount()} asOf={at()} budgetSeconds={15} pricesUnknown="stale prices: BTC/USD" />);
    expect([...document.querySelectorAll("s")].map((one) => one.textContent)).toContain("100,000.50\u202fUSD");
  });
  it("hides amounts in the presenter's view", async () => {
    act(() => setPresenter(true));
    await show(<AccountCard account={anAccount()} asOf={at()} budgetSeconds={15} />);
    expect(document.body.innerHTML).not.toMatch(/100,?000/);
    expect(document.body.innerHTML).not.toMatch(/90,?000/);
  });
});

describe("rows", () => {
  const table = (rows: readonly string[]) => (
    <Rows caption="Orders" rows={rows} columns={[{ name: "Order", cell: (row: string) => row }]} keyOf={(row) => row} empty="none" />
  );
  it("stay where they are under the focus, and say what has changed", () => {
    const { rerender } = render(table(["one"]));
    const region = screen.getByRole("region", { name: "Orders" });
    act(() => region.focus());
    rerender(table(["two", "one"]));
    expect(screen.queryByText("two")).toBeNull();
    expect(screen.getByText(/1 changed/)).toBeTruthy();
    act(() => region.blur());
    expect(screen.getByText("two")).toBeTruthy();
  });
  it("move again when what had the focus is gone, which nothing tells", () => {
    const many = (first: string) => table([first, ...Array.from({ length: 60 }, (_, place) => `row ${place}`)]);
    const { rerender } = render(many("one"));
    const more = screen.getByRole("button", { name: /^Show more/ });
    act(() => more.focus());
    fireEvent.click(more);
    expect(screen.queryByRole("button", { name: /^Show more/ })).toBeNull();
    rerender(many("two"));
    expect(screen.getByText("two")).toBeTruthy();
  });
  it("stay where they are under the pointer", () => {
    const { rerender, container } = render(table(["one"]));
    const section = container.firstElementChild as HTMLElement;
    fireEvent.pointerEnter(section, { pointerType: "mouse" });
    rerender(table(["two"]));
    expect(screen.queryByText("two")).toBeNull();
    fireEvent.pointerLeave(section, { pointerType: "mouse" });
    expect(screen.getByText("two")).toBeTruthy();
  });
});
