import { screen } from "@testing-library/react";
import { expect, it } from "vitest";

import { show } from "@/test/harness";

import { CostsTable, type CostsTableProps } from "./ReportPage";

const costs = (changed: Partial<CostsTableProps["costs"][number]>): CostsTableProps["costs"][number] => ({
  symbol: "all", trades: 3, profit: "1", fees: "2", slippage: "0.5", slippage_points: "2.50", turnover: "2000", spread: "0.25", spread_unknown: 0,
  maker_share: "0.5", fees_saved: "1", won_share: "0.5", profit_factor: null, mean: "0.33", cost_share: "0.00125", ...changed,
});

it("the spread that trades paid is shown, and of how many it is not known where it is no sum", async () => {
  await show(<CostsTable costs={[costs({}), costs({ symbol: "BTC/USD", spread: null, spread_unknown: 2 })]} />);
  expect(screen.getByText("0.25")).toBeTruthy();
  expect(screen.getByText("not known of 2 of 3")).toBeTruthy();
});
