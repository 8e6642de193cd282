import { screen, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";

import { show } from "@/test/harness";

import { type Levels, movesOf, pathOf } from "./levels";
import { MovesTable } from "./MovesTable";

const at = (minute: number) => `2026-11-28T12:${String(minute).padStart(2, "0")}:00Z`;
const level = (minute: number, stop: string, target: string | null, market: string | null = at(minute)): Levels => ({ at: at(minute), market_time: market, stop_price: stop, take_profit_price: target });
const minuteOf = (text: string) => new Date(text).getUTCMinutes();

describe("where stop and target have stood", () => {
  it("is told move by move: the first level is none", () => {
    const moves = movesOf([level(0, "100", "120"), level(1, "101", "120"), level(2, "101", null)]);
    expect(moves.map(({ what, from, to }) => [what, from, to])).toEqual([["stop", "100", "101"], ["target", "120", null]]);
  });
  it("is drawn over the bars up to the last one, as it stood", () => {
    const path = pathOf([level(0, "100", null), level(3, "101", null)], "stop_price", minuteOf, 9);
    expect(path).toEqual([{ time: 0, price: "100" }, { time: 3, price: "101" }, { time: 9, price: "101" }]);
  });
  it("counts the last of several moves within a bar, and draws nothing that never moved", () => {
    expect(pathOf([level(0, "100", null), level(3, "101", null), level(3, "102", null)], "stop_price", minuteOf, 9)[1]).toEqual({ time: 3, price: "102" });
    expect(pathOf([level(0, "100", "120"), level(3, "101", "120")], "take_profit_price", minuteOf, 9)).toEqual([]);
  });
  it("draws no level whose market time is not known, and a target that was taken away as none", () => {
    expect(pathOf([level(0, "100", "120"), level(2, "100", "130", null), level(3, "100", null)], "take_profit_price", minuteOf, 3)).toEqual([{ time: 0, price: "120" }, { time: 3, price: null }]);
  });
  it("is listed with both times, the newest first, without violations", async () => {
    await show(<MovesTable levels={[level(0, "100", "120"), level(1, "101", "120", null), level(2, "101", null)]} />);
    const rows = within(screen.getByRole("region", { name: "Moves of stop and target" })).getAllByRole("row").slice(1);
    expect(rows[0]?.textContent).toContain("taken away");
    expect(rows[1]?.textContent).toContain("no price then");
    const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
    expect(found.violations.map((one) => one.id)).toEqual([]);
  });
});
