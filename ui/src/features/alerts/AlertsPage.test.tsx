import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { answers, AUDITOR, DIRECTOR, show } from "@/test/harness";

import { AlertsPage } from "./AlertsPage";

type Notification = components["schemas"]["NotificationView"];

function aNotification(changed: Partial<Notification> = {}): Notification {
  return {
    notification_id: "record.company.7", event: "drawdown_halted", severity: "critical", scope: "company",
    title: "A drawdown limit was reached", detail: "by aether", runbook: "docs/runbooks/AetherDrawdownHalt.md",
    since: "2026-11-28T12:00:00Z", last_at: "2026-11-28T12:00:00Z", occurrences: 1, acknowledged_at: null, acknowledged_by: null,
    resolved_at: null, closed_at: null, closed_because: null, sent: 2, waiting: 0, failed: 0, ...changed,
  };
}

const STATUS: components["schemas"]["NotificationStatus"] = {
  kinds: [{ kind: "email", missing: "AETHER_SMTP_HOST and AETHER_SMTP_SENDER are not set", channels: 0, sent: 0, failed: 0, last_failure: "" }],
  open: 1, unacknowledged: 1, backlog: 0, oldest_waiting: null,
};
const OWN: components["schemas"]["Channels"] = {
  channels: [], quiet_hours: { begins: "22:00", ends: "07:00", zone: "Europe/Berlin" }, unavailable: { email: "AETHER_SMTP_HOST is not set" }, events: [],
};

function page(rows: readonly Notification[], person = DIRECTOR) {
  return show(<AlertsPage />, person, [
    [["notifications", "list"], { notifications: rows, following: "" }],
    [["notifications", "status"], STATUS],
    [["people", "own-channels"], OWN],
  ]);
}

function submit(name: string): void {
  fireEvent.submit(screen.getByRole("button", { name }).closest("form") as HTMLFormElement);
}

describe("alerts", () => {
  it("show the most urgent first, what to do, and keep what is over apart", async () => {
    await page([
      aNotification({ notification_id: "w", severity: "warning", title: "The exchange does not answer", failed: 1 }),
      aNotification(),
      aNotification({ notification_id: "old", title: "Somebody halted it", resolved_at: "2026-11-28T13:00:00Z" }),
    ]);
    const open = within(screen.getByRole("region", { name: "Open" }));
    expect(open.getAllByRole("heading", { level: 2 }).map((one) => one.textContent)).toEqual(["A drawdown limit was reached", "The exchange does not answer"]);
    expect(open.getAllByText("docs/runbooks/AetherDrawdownHalt.md")).toHaveLength(2);
    expect(open.getByText(/1 failed/)).toBeTruthy();
    expect(screen.getByText("it is over")).toBeTruthy();
  });
  it("are acknowledged once, and say so only when the record shows it", async () => {
    const asked = answers({ "POST /api/v1/notifications/record.company.7/acknowledge": () => ({ code: "accepted", detail: "seen" }) });
    const { queries } = await page([aNotification()]);
    submit("I have seen it");
    await screen.findByText(/waiting for the record/);
    expect(screen.queryByText(/nobody is reminded/)).toBeNull();
    expect(asked.filter((request) => request.method === "POST")).toHaveLength(1);
    act(() => queries.setQueryData(["notifications", "list"], { notifications: [aNotification({ acknowledged_at: "2026-11-28T12:01:00Z", acknowledged_by: "user/a1" })], following: "" }));
    await screen.findByText("Nothing waits for anybody.");
    expect(screen.getByText("user/a1")).toBeTruthy();
  });
  it("cannot be acknowledged without the right", async () => {
    await page([aNotification()], AUDITOR);
    expect(screen.queryByRole("button", { name: "I have seen it" })).toBeNull();
  });
  it("link to a runbook elsewhere only over https", async () => {
    await page([aNotification({ runbook: "https://example.org/runbook" }), aNotification({ notification_id: "x", runbook: "javascript:alert(1)" })]);
    expect(screen.getAllByRole("link").map((one) => one.getAttribute("href"))).toEqual(["https://example.org/runbook"]);
  });
  it("have no fault that axe finds", async () => {
    const { container } = await page([aNotification(), aNotification({ notification_id: "seen", acknowledged_at: "2026-11-28T12:01:00Z", acknowledged_by: "user/a1" })]);
    // Colours are judged in a browser: jsdom has no layout.
    const found = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations.map((one) => `${one.id}: ${one.help}`)).toEqual([]);
  }, 60_000);
});

describe("one's own channels", () => {
  it("are added with what comes over them; a webhook's key is shown this once", async () => {
    const asked = answers({
      "POST /api/v1/me/channels": () => ({ channel_id: "c1", webhook_key: "whsec_shown" }),
      "GET /api/v1/me/channels": () => OWN,
    });
    await page([]);
    fireEvent.change(screen.getByLabelText("Name"), { target: { value: "pager" } });
    fireEvent.change(screen.getByLabelText("Address"), { target: { value: "https://pager.example/hook" } });
    fireEvent.change(screen.getByLabelText("Only these events"), { target: { value: "halted, mode_set" } });
    submit("Add it");
    await screen.findByText("whsec_shown");
    expect(await asked.find((request) => request.method === "POST")?.json()).toEqual({
      kind: "webhook", label: "pager", address: "https://pager.example/hook", minimum: "warning", events: ["halted", "mode_set"],
    });
  });
  it("of a kind that is not set up say what is missing, and cannot be added", async () => {
    await page([]);
    fireEvent.change(screen.getByLabelText("Kind"), { target: { value: "email" } });
    fireEvent.change(screen.getByLabelText("Name"), { target: { value: "mail" } });
    fireEvent.change(screen.getByLabelText("Address"), { target: { value: "anna@example.org" } });
    expect(screen.getByText("AETHER_SMTP_HOST is not set")).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Add it" }).disabled).toBe(true);
  });
  it("rest in quiet hours, which are shown as they are", async () => {
    const asked = answers({ "PUT /api/v1/me/channels/quiet-hours": () => ({ done: true }), "GET /api/v1/me/channels": () => OWN });
    await page([]);
    expect(screen.getByLabelText<HTMLInputElement>("From").value).toBe("22:00");
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "9" } });
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Set them" }).disabled).toBe(true);
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "21:30" } });
    submit("Set them");
    await waitFor(() => expect(asked.some((request) => request.method === "PUT")).toBe(true));
    expect(await asked.find((request) => request.method === "PUT")?.json()).toEqual({ begins: "21:30", ends: "07:00", zone: "Europe/Berlin" });
  });
});
