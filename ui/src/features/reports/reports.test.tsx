import { fireEvent, screen } from "@testing-library/react";
import { expect, it } from "vitest";

import { answers, show } from "@/test/harness";

import { AskRecord } from "./AskRecord";

it("an answer of the record is shown with the rows that it rests on", async () => {
  const rows: unknown[] = [];
  const asked = answers({
    "GET /api/v1/accounts/company/questions": () => rows,
    "POST /api/v1/accounts/company/questions": () => {
      rows.push({ question: "why did trade 12 close?", answer: "Its stop was hit.", asked_by: "user/a1", asked_at: "2026-11-28T12:00:00Z", template: "close", sources: [{ tables: "trades", rows: 1, keys: ["12"] }] });
      return rows[0];
    },
  });
  await show(<AskRecord account="company" />);
  fireEvent.change(screen.getByLabelText("Question"), { target: { value: " why did trade 12 close? " } });
  fireEvent.submit(screen.getByRole("button", { name: "Ask about company" }).closest("form") as HTMLFormElement);
  expect(await screen.findByText("Its stop was hit.")).toBeTruthy();
  expect(screen.getByText("It rests on 1 of trades.")).toBeTruthy();
  const sent = asked.filter((request) => request.method === "POST");
  expect(await sent[0]?.json()).toEqual({ question: "why did trade 12 close?" });
});
