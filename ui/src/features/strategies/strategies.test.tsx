import { act, fireEvent, screen } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";

import type { components } from "@/api/schema";
import { setConnection } from "@/live/connection";
import { answers, AUDITOR, show } from "@/test/harness";

import { StrategiesPage } from "./StrategiesPage";

type Schemas = components["schemas"];

const AT = "2026-11-28T12:00:00Z";
const STRATEGIES: Schemas["StrategyView"][] = [
  { name: "donchian_ensemble", version: "2", standing: "shipped", interval_minutes: 1440, rebalances: true, followed_by: ["company"], evidence: [{ version: "2", source: "simulation", results: 31, mean_move: "0.01", deviation: "0.02", mean_net: "-0.0042", newest_at: AT }] },
  { name: "trend", version: "1", standing: "shadow", interval_minutes: null, rebalances: false, followed_by: [], evidence: [] },
];
const CHAMPION: Schemas["Champion"] = { number: 2, model: "run-2", previous: "no-trade", changed_by: "aether", reason: "approved", changed_at: AT };
const TRAINING: Schemas["TrainingView"] = {
  run_id: "run-3", requested_by: "user/a1", reason: "drift", data_hash: "d", question: "q", feature_hash: "f", code_version: "c", samples: 10, planned: 4, started_at: AT,
  finished: 1, seconds_left: 90, passed: null, candidate: null, reasons: [], shadow: null, cancelled_by: null,
};

const DRIFT: Schemas["DriftView"] = {
  model: "run-2", measured_at: AT, vectors: 80, unknown: "",
  features: [{ feature: "trend_20", index: 0.5, limit: 0.31, moved: true }, { feature: "return_1", index: 0.1, limit: 0.31, moved: false }],
};

const known = (champion = CHAMPION, trainings: Schemas["TrainingView"][] = [TRAINING], drift = DRIFT): [unknown[], unknown][] => [
  [["strategies"], STRATEGIES], [["learning", "champion"], champion], [["learning", "trainings"], trainings], [["learning", "trials"], []], [["learning", "drift"], drift],
];
const RIGHT = "platform.settings";

// Without live data nothing on a page may be acted on.
beforeEach(() => act(() => setConnection("live")));

describe("strategies and models", () => {
  it("shows who follows what and what it has earned, without violations", async () => {
    await show(<StrategiesPage />, undefined, known());
    expect(screen.getByRole("link", { name: "company" })).toBeTruthy();
    expect(screen.getByText(/31 results/)).toBeTruthy();
    expect(screen.getByText("no trade of it has closed")).toBeTruthy();
    expect(screen.getByText(/1 of 4 trials/)).toBeTruthy();
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
  it("offers no way back from no model, and says why", async () => {
    await show(<StrategiesPage />, undefined, known({ ...CHAMPION, model: "no-trade" }));
    expect(screen.getByText(/There is nothing to roll back/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: /Withdraw/ })).toBeNull();
  });
  it("tells an auditor which right is missing", async () => {
    await show(<StrategiesPage />, AUDITOR, known());
    expect(screen.getAllByText(RIGHT).length).toBe(3);
  });
  it("says what the gate refused a challenger for", async () => {
    await show(<StrategiesPage />, undefined, known(CHAMPION, [{ ...TRAINING, passed: false, reasons: ["deflated_sharpe_2025"] }]));
    expect(screen.getByText(/deflated sharpe 2025/)).toBeTruthy();
  });
  it("says why a training was wanted, and cancels one that runs", async () => {
    const sent: string[] = [];
    answers({
      "POST /api/v1/learning/trainings/run-3/cancel": () => {
        sent.push("run-3");
        return new Response(JSON.stringify({ run_id: "run-3" }), { status: 200 });
      },
    });
    await show(<StrategiesPage />, undefined, [...known(), [["rights"], { operations: {}, rights: [{ action: RIGHT, scope: "platform", roles: ["director"], tokens: true, tokens_of_the_machine_on_live_accounts: true, step_up: false }] }]]);
    expect(screen.getByText(/: drift/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Cancel this training" }));
    await vi.waitFor(() => expect(sent).toEqual(["run-3"]));
  });
  it("offers no cancellation of what was cancelled or judged", async () => {
    const rows = [{ ...TRAINING, cancelled_by: "user/a1" }, { ...TRAINING, run_id: "run-4", passed: false, reasons: ["trials"] }];
    await show(<StrategiesPage />, undefined, known(CHAMPION, rows));
    expect(screen.getByText(/after 1 of 4 trials/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Cancel this training" })).toBeNull();
  });
  it("shows how far features have moved, or why that is not known", async () => {
    const { unmount } = await show(<StrategiesPage />, undefined, known());
    expect(screen.getByText(/1 of 2 have moved \(80 decisions seen/)).toBeTruthy();
    expect(screen.getByText(/trend 20 0.50, at most 0.31 by chance/)).toBeTruthy();
    unmount();
    await show(<StrategiesPage />, undefined, known(CHAMPION, [TRAINING], { ...DRIFT, features: [], unknown: "no nightly run has measured it yet" }));
    expect(screen.getByText("no nightly run has measured it yet")).toBeTruthy();
  });
  it("says what to do where learning is off", async () => {
    answers({
      "POST /api/v1/learning/trainings": () =>
        new Response(JSON.stringify({ type: "urn:aether:problem:learning-off", title: "Conflict", status: 409, detail: "Learning is off: start with AETHER_LEARNING=1." }), { status: 409 }),
    });
    await show(<StrategiesPage />, undefined, [...known(), [["rights"], { operations: {}, rights: [{ action: RIGHT, scope: "platform", roles: ["director"], tokens: true, tokens_of_the_machine_on_live_accounts: true, step_up: false }] }]]);
    const [reason] = screen.getAllByLabelText(/Reason/).slice(-1);
    fireEvent.change(reason as HTMLElement, { target: { value: "new data" } });
    fireEvent.click(screen.getByRole("button", { name: "Start a training" }));
    expect(await screen.findByText(/Learning is off/)).toBeTruthy();
  });
});
