import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";

import { brought, client } from "@/api/client";
import { Field } from "@/components/Field";
import { announce } from "@/live/channel";
import { answers } from "@/test/harness";

import { SessionGate } from "./session";

const PERSON = { name: "anna", role: "administrator", expires_at: null };
const UNAUTHORIZED = () => new Response(JSON.stringify({ type: "urn:aether:problem:unauthorized", detail: "A valid token is required." }), { status: 401 });

function Draft() {
  const [text, setText] = useState("");
  return (
    <>
      <Field label="Draft" value={text} onValue={setText} />
      <button type="button" onClick={() => void brought(client.GET("/api/v1/kill-switch")).catch(() => undefined)}>
        Ask
      </button>
    </>
  );
}

const gate = () => (
  <QueryClientProvider client={new QueryClient()}>
    <SessionGate>
      <Draft />
    </SessionGate>
  </QueryClientProvider>
);

describe("a session", () => {
  it("is begun with a token that is sent once and kept nowhere", async () => {
    let signedIn = false;
    const asked = answers({
      "GET /api/v1/browser-session": () => (signedIn ? PERSON : UNAUTHORIZED()),
      "POST /api/v1/browser-session": () => {
        signedIn = true;
        return PERSON;
      },
    });
    render(gate());
    fireEvent.change(await screen.findByLabelText("Token"), { target: { value: "t".repeat(43) } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await screen.findByLabelText("Draft");
    expect(asked.filter((request) => request.method === "POST")).toHaveLength(1);
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("ttttt");
  });
  it("that ends keeps what was typed, and goes on after signing in again", async () => {
    let over = false;
    answers({
      "GET /api/v1/browser-session": () => PERSON,
      "POST /api/v1/browser-session": () => PERSON,
      "GET /api/v1/kill-switch": () => (over ? UNAUTHORIZED() : []),
    });
    render(gate());
    fireEvent.change(await screen.findByLabelText("Draft"), { target: { value: "half a thought" } });
    over = true;
    fireEvent.click(screen.getByRole("button", { name: "Ask" }));
    await screen.findByText(/The session has ended/);
    fireEvent.change(screen.getByLabelText("Token"), { target: { value: "t".repeat(43) } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(screen.queryByText(/The session has ended/)).toBeNull());
    expect(screen.getByLabelText<HTMLInputElement>("Draft").value).toBe("half a thought");
  });
  it("announces its end two minutes ahead, over what is open", async () => {
    answers({ "GET /api/v1/browser-session": () => ({ ...PERSON, expires_at: new Date(Date.now() + 119_000).toISOString() }) });
    render(gate());
    await screen.findByText(/The session ends in 1[0-2]\d s\. What is typed stays as it is\./);
    fireEvent.click(screen.getByRole("button", { name: "Sign in again now" }));
    await screen.findByRole("heading", { name: "Sign in again" });
  });
  it("says nothing of an end that is far off", async () => {
    answers({ "GET /api/v1/browser-session": () => ({ ...PERSON, expires_at: new Date(Date.now() + 3_600_000).toISOString() }) });
    render(gate());
    await screen.findByLabelText("Draft");
    expect(screen.queryByText(/The session ends/)).toBeNull();
  });
  it("that ends in one tab ends in all", async () => {
    answers({ "GET /api/v1/browser-session": () => PERSON });
    render(gate());
    await screen.findByLabelText("Draft");
    const other = new BroadcastChannel("aether");
    act(() => announce({ kind: "signed-in" }));
    other.postMessage({ kind: "signed-out" });
    await screen.findByText(/The session has ended/);
    other.close();
  });
});
