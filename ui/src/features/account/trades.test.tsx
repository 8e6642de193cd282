import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { useInfiniteQuery } from "@tanstack/react-query";

import { setConnection } from "@/live/connection";
import { answers, show } from "@/test/harness";

import { pagesOfTrades, TRADES_OF_A_PAGE } from "./queries";
import { TradesTable } from "./TradesTable";

const HIGHEST = TRADES_OF_A_PAGE + 3;
const aTrade = (number: number) => ({
  number, symbol: "BTC/USD", phase: "settled", source: "idea/i", quantity: "0.1", bought: "0.1", sold: "0.1", average_entry_price: "50000", average_exit_price: "50100",
  stop_price: "49000", pnl: "1", fees: "1", exit_reason: "stop", decided_at: "2026-11-28T12:00:00Z",
});

function Trades() {
  const all = useInfiniteQuery(pagesOfTrades("company"));
  return <TradesTable account="company" trades={(all.data ?? []) as never} onOlder={all.hasNextPage ? () => void all.fetchNextPage() : undefined} />;
}

beforeEach(() => act(() => setConnection("live")));

describe("more trades than a page holds", () => {
  it("are read on, each once, down to the first", async () => {
    const asked = answers({
      "GET /api/v1/accounts/company/trades": (request) => {
        const query = new URL(request.url).searchParams;
        const highest = Math.min(HIGHEST, Number(query.get("before") ?? HIGHEST + 1) - 1);
        return Array.from({ length: Math.min(highest, Number(query.get("limit"))) }, (_, place) => aTrade(highest - place));
      },
    });
    const { queries } = await show(<Trades />);
    await screen.findByText(`${HIGHEST} BTC/USD`);
    for (;;) {
      const shown = screen.queryByRole("button", { name: /^Show more/ });
      if (!shown) break;
      fireEvent.click(shown);
    }
    fireEvent.pointerEnter(screen.getByRole("heading", { name: "Trades" }).closest("section") as HTMLElement, { pointerType: "mouse" });
    fireEvent.click(screen.getByRole("button", { name: "Read older trades" }));
    await waitFor(() => expect(asked).toHaveLength(2));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Read older trades" })).toBeNull());
    expect(await screen.findByText("1 BTC/USD")).toBeTruthy();
    const numbers = (queries.getQueryData(["account", "company", "trades", "pages"]) as { pages: { number: number }[][] }).pages.flat().map((one) => one.number);
    expect(numbers).toEqual(Array.from({ length: HIGHEST }, (_, place) => HIGHEST - place));
  });
});
