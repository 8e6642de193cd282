import { render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { setPresenter } from "@/app/presenter";

import { Figure } from "./Figure";

const NOW = new Date("2026-11-28T12:00:00Z");

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
  setPresenter(false);
});

describe("a figure", () => {
  it("that is unknown is a dash with its reason, never zero", () => {
    render(<Figure value={null} kind="money" unknown="no price for XRP" />);
    expect(screen.getByText("–")).toBeTruthy();
    expect(screen.getByText("no price for XRP")).toBeTruthy();
    expect(document.body.textContent).not.toMatch(/0/);
  });
  it("that is no number is a dash too", () => {
    render(<Figure value="NaN" kind="money" />);
    expect(screen.getByText("not known")).toBeTruthy();
  });
  it("within its budget stands plain", () => {
    render(<Figure value="10" kind="money" asOf="2026-11-28T11:59:50Z" budgetSeconds={15} />);
    expect(document.querySelector("s")).toBeNull();
  });
  it("beyond its budget is struck out and shows its age", () => {
    render(<Figure value="10" kind="money" asOf="2026-11-28T11:59:20Z" budgetSeconds={15} />);
    expect(document.querySelector("s")?.textContent).toBe("10.00");
    expect(screen.getByText("40 s old")).toBeTruthy();
  });
  it("at a stale price is struck out and says why", () => {
    render(<Figure value="10" kind="money" stale="stale prices: BTC/USD" />);
    expect(document.querySelector("s")).not.toBeNull();
    expect(screen.getByText("stale prices: BTC/USD")).toBeTruthy();
  });
  it("shows a direction by glyph as well as by colour", () => {
    render(<Figure value="-1.5" kind="money" signed />);
    expect(document.body.textContent).toBe("▼\u22121.50");
  });
  it("that rounds to nothing has no direction", () => {
    render(<Figure value="-0.00001" kind="share" signed />);
    expect(document.body.textContent).toBe("0.00\u202f%");
    expect(document.querySelector(".figure-down")).toBeNull();
  });
  it("hides amounts from who looks over the shoulder, not shares", () => {
    setPresenter(true);
    render(
      <>
        <Figure value="123.45" kind="money" />
        <Figure value="0.05" kind="share" />
      </>,
    );
    expect(document.body.innerHTML).not.toContain("123.45");
    expect(document.body.textContent).toBe("•••5.00\u202f%");
  });
});
