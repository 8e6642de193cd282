import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { setConnection } from "@/live/connection";
import { answers, AUDITOR, show } from "@/test/harness";

import { growth } from "./BacktestCurve";
import { WalkForwards } from "./BacktestPage";
import { BacktestsPage } from "./BacktestsPage";
import { BacktestState } from "./BacktestState";
import { CompareBacktests } from "./CompareBacktests";

type Backtest = components["schemas"]["BacktestView"];

const CHOICES: components["schemas"]["BacktestChoices"] = {
  strategies: [
    { name: "donchian_ensemble", standing: "shipped", interval_minutes: 1440, sees_universe: false },
    { name: "trend", standing: "shadow", interval_minutes: null, sees_universe: false },
  ],
  recordings: [
    { venue: "kraken", symbol: "BTC/USD", interval_minutes: 1440, first: "2020-01-01T00:00:00Z", last: "2024-01-01T00:00:00Z" },
    { venue: "history.kraken", symbol: "SOL/USD", interval_minutes: 1440, first: "2024-01-01T00:00:00Z", last: "2025-01-01T00:00:00Z" },
    { venue: "record", symbol: "ETH/USD", interval_minutes: 15, first: null, last: null },
  ],
  fee_schedules: ["2026-07-09", "2024-01-01"], missing: null,
};

function aBacktest(changed: Partial<Backtest> = {}): Backtest {
  return {
    run_id: "r1", requested_by: "user/a1", requested_at: "2026-11-28T12:00:00Z", state: "finished", stage: "finished", done: 2, planned: 2, reason: "",
    started_at: null, ended_at: null, cancelled_by: null,
    asked: { strategies: ["donchian_ensemble"], venue: "kraken", pairs: [], interval_minutes: null, begin: null, end: null, together: false, capital: 100000, fees: "", slippage: 0.0005, latency: 1, sweep: [], walk_forward: false, engine: "fast" },
    ...changed,
  };
}

const known = (rows: readonly Backtest[]): [unknown[], unknown][] => [[["backtests", "list"], rows], [["backtest-choices"], CHOICES]];
const violations = async () => (await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } })).violations.map((one) => one.id);

// Without live data nothing on a page may be acted on.
beforeEach(() => act(() => setConnection("live")));

describe("the page of backtests", () => {
  it("has no violations and sends what was chosen, once", async () => {
    const asked = answers({ "POST /api/v1/backtests": () => ({ run_id: "r2" }) });
    await show(<BacktestsPage />, undefined, known([aBacktest()]));
    expect(await violations()).toEqual([]);
    fireEvent.click(screen.getByLabelText(/^trend/));
    fireEvent.change(screen.getByLabelText(/Judged from/), { target: { value: "2022-01-01" } });
    fireEvent.click(screen.getByRole("button", { name: "Start the backtest" }));
    fireEvent.click(screen.getByRole("button", { name: "Start the backtest" }));
    await waitFor(() => expect(asked.filter((one) => one.method === "POST")).toHaveLength(1));
    const sent = asked.filter((one) => one.method === "POST");
    expect(await sent[0]?.json()).toMatchObject({ strategies: ["donchian_ensemble", "trend"], venue: "kraken", begin: "2022-01-01T00:00:00Z", capital: 100000, slippage: 0.0005 });
  });
  it("sends what parameters are tried on kept history, and takes nothing that is none", async () => {
    const asked = answers({ "POST /api/v1/backtests": () => ({ run_id: "r2" }) });
    await show(<BacktestsPage />, undefined, known([]));
    expect(screen.getByText("kept history of kraken")).toBeTruthy();
    fireEvent.change(screen.getByLabelText(/Candles of/), { target: { value: "history.kraken" } });
    const start = screen.getByRole("button", { name: "Start the backtest" }) as HTMLButtonElement;
    fireEvent.change(screen.getByLabelText(/Parameters to try/), { target: { value: "volatility_target" } });
    expect(start.disabled).toBe(true);
    expect(screen.queryByLabelText(/^Walk-forward/)).toBeNull();
    fireEvent.change(screen.getByLabelText(/Parameters to try/), { target: { value: "volatility_target=0.15, 0.25; band=0.1" } });
    fireEvent.click(screen.getByLabelText(/^Walk-forward/));
    fireEvent.change(screen.getByLabelText(/Trades made by/), { target: { value: "reference" } });
    fireEvent.click(start);
    await waitFor(() => expect(asked.filter((one) => one.method === "POST")).toHaveLength(1));
    const [sent] = asked.filter((one) => one.method === "POST");
    expect(await sent?.json()).toMatchObject({ venue: "history.kraken", sweep: ["volatility_target=0.15,0.25", "band=0.1"], walk_forward: true, engine: "reference" });
  });
  it("takes no impossible day and no period that ends before it begins", async () => {
    await show(<BacktestsPage />, undefined, known([]));
    const start = screen.getByRole("button", { name: "Start the backtest" }) as HTMLButtonElement;
    fireEvent.change(screen.getByLabelText(/Judged from/), { target: { value: "2022-13-45" } });
    expect(start.disabled).toBe(true);
    fireEvent.change(screen.getByLabelText(/Judged from/), { target: { value: "2022-02-01" } });
    fireEvent.change(screen.getByLabelText(/^To/), { target: { value: "2022-01-01" } });
    expect(start.disabled).toBe(true);
    expect(screen.getByText("It must come after the first day.")).toBeTruthy();
  });
  it("tells who lacks the right which it is", async () => {
    await show(<BacktestsPage />, AUDITOR, known([]));
    expect(screen.getByText("backtest.run")).toBeTruthy();
  });
});

describe("a backtest", () => {
  it("shows how far it is, and why it was refused", async () => {
    const { unmount } = await show(<BacktestState backtest={aBacktest({ state: "running", stage: "trend on kraken", done: 1, planned: 4 })} />);
    expect(screen.getByText(/1 of 4/)).toBeTruthy();
    unmount();
    await show(<BacktestState backtest={aBacktest({ state: "refused", reason: "the venue record holds no candles for this" })} />);
    expect(screen.getByText(/holds no candles/)).toBeTruthy();
  });
  it("shows a walk-forward once for all its variants, and why there is none", async () => {
    const walk = { total: "0.2", days: 90, sharpe: null, best_afterwards: "1.5", drawdown: "-0.1", chosen: ["donchian_ensemble[a=1]"], reason: "" };
    const none = { total: null, days: null, sharpe: null, best_afterwards: null, drawdown: null, chosen: [], reason: "too few days" };
    const result = { number: 1, strategy: "donchian_ensemble[a=1]", label: "kraken BTC/USD", pairs: [], sources: [], figures: {}, holding: {}, intervals: {}, other_fees: {}, curve: [], trades: [], trades_total: 0, notes: [], walk_forward: walk };
    await show(<WalkForwards results={[result, { ...result, strategy: "donchian_ensemble[a=2]" }, { ...result, strategy: "trend[b=1]", walk_forward: none }]} />);
    expect(screen.getAllByText("donchian ensemble: kraken BTC/USD")).toHaveLength(1);
    expect(screen.getByText("donchian_ensemble[a=1]")).toBeTruthy();
    expect(screen.getAllByText("too few days").length).toBeGreaterThan(1);
  });
  it("draws nothing where a figure is not known", () => {
    const points = [{ at: "2020-01-01T00:00:00Z", equity: "100", holding: null }, { at: "2020-01-02T00:00:00Z", equity: "110", holding: "5" }];
    expect(growth(points, "equity").map((one) => Math.round(one.value))).toEqual([0, 10]);
    expect(growth(points, "holding")).toHaveLength(1);
  });
});

describe("comparing", () => {
  it("says what besides the strategy differs", async () => {
    const both = [aBacktest(), aBacktest({ run_id: "r2" })];
    const compared: components["schemas"]["BacktestComparison"] = {
      first: "one", second: "other", obstacles: ["slippage: 0.0005 and 0.001"],
      figures: [{ name: "total", first: "0.1", second: "0.25", difference: "0.15" }, { name: "sharpe", first: null, second: "1", difference: null }],
    };
    await show(<CompareBacktests finished={both} />, undefined, [
      [["backtests", "one", "r1"], { ...both[0], results: [] }], [["backtests", "one", "r2"], { ...both[1], results: [] }],
      [["backtests", "comparison", "r1.1", "r2.1"], compared],
    ]);
    fireEvent.change(screen.getByLabelText("This"), { target: { value: "r1" } });
    fireEvent.change(screen.getByLabelText("with this"), { target: { value: "r2" } });
    expect(screen.getByText(/slippage: 0.0005 and 0.001/)).toBeTruthy();
    expect(screen.getByText(/\+15\.00/)).toBeTruthy();
    expect(screen.getAllByText("not known").length).toBeGreaterThanOrEqual(2);
    expect(await violations()).toEqual([]);
  });
});
