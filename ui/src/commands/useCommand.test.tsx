import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Problem } from "@/api/problem";
import { CommandForm } from "@/components/CommandForm";

import { useCommand } from "./useCommand";

interface TriedProps {
  readonly send: (key: string) => Promise<string>;
  readonly recorded?: boolean;
}

function Tried({ send, recorded = false }: TriedProps) {
  const command = useCommand({ form: "tried", send, isRecorded: () => recorded });
  return <CommandForm command={command} action="Do it" recorded="It is in the record." ready />;
}

const press = () => fireEvent.submit(screen.getByRole("button", { name: "Do it" }).closest("form") as HTMLFormElement);
const settle = () => act(() => vi.advanceTimersByTimeAsync(0));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a command", () => {
  it("pressed twice is sent once", async () => {
    const send = vi.fn(() => new Promise<string>(() => undefined));
    render(<Tried send={send} />);
    press();
    press();
    await settle();
    expect(send).toHaveBeenCalledTimes(1);
  });
  it("has the key that was made when its form opened, over a reload of the page", async () => {
    const keys: string[] = [];
    const send = (key: string) => {
      keys.push(key);
      return new Promise<string>(() => undefined);
    };
    const first = render(<Tried send={send} />);
    press();
    await settle();
    first.unmount();
    render(<Tried send={send} />);
    press();
    await settle();
    expect(keys).toHaveLength(2);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });
  it("is repeated under the same key when the outcome is unknown, and says so", async () => {
    const keys: string[] = [];
    const send = vi.fn((key: string) => {
      keys.push(key);
      return keys.length < 3 ? Promise.reject(new Problem(503, "database-unavailable", "no answer")) : Promise.resolve("done");
    });
    render(<Tried send={send} />);
    press();
    await settle();
    expect(screen.getByRole("status").textContent).toContain("Outcome unknown, asking");
    await act(() => vi.advanceTimersByTimeAsync(3500));
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
    expect(screen.getByRole("status").textContent).toContain("waiting for the record");
  });
  it("whose answer stays out is called unknown after five seconds", async () => {
    render(<Tried send={() => new Promise(() => undefined)} />);
    press();
    await act(() => vi.advanceTimersByTimeAsync(4900));
    expect(screen.getByRole("status").textContent).toContain("waiting for the answer");
    await act(() => vi.advanceTimersByTimeAsync(200));
    expect(screen.getByRole("status").textContent).toContain("Outcome unknown, asking");
  });
  it("is not done before the record shows it", async () => {
    const { rerender } = render(<Tried send={() => Promise.resolve("accepted")} />);
    press();
    await settle();
    expect(screen.queryByText("It is in the record.")).toBeNull();
    rerender(<Tried send={() => Promise.resolve("accepted")} recorded />);
    expect(screen.getByText("It is in the record.")).toBeTruthy();
  });
  it("that is refused says cause, effect on money, next step and correlation id", async () => {
    const refusal = new Problem(409, "account-halted", "The account is halted.", [], "abc123");
    render(<Tried send={() => Promise.reject(refusal)} />);
    press();
    await settle();
    const alert = screen.getByRole("alert").textContent ?? "";
    for (const words of ["The account is halted.", "Nothing was changed.", "Resume the account first", "abc123"]) {
      expect(alert).toContain(words);
    }
  });
});
