import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";

import { brought, client } from "@/api/client";
import { Field } from "@/components/Field";
import { announce } from "@/live/channel";
import { answers } from "@/test/harness";

import { SessionGate } from "./session";

const PERSON = {
  user: "user/a1", name: "anna", display_name: "Anna", grants: [{ role: "director", account: "*" }], session: "s1",
  opened_at: "2026-11-28T12:00:00Z", ends_at: new Date(Date.now() + 3_600_000).toISOString(), needs_recovery_codes: false,
};
const PASSWORD = "orbit-velvet-cactus-47-lantern";

async function signIn(): Promise<void> {
  fireEvent.change(await screen.findByLabelText("Name"), { target: { value: "anna" } });
  fireEvent.change(screen.getByLabelText("Password"), { target: { value: PASSWORD } });
  fireEvent.click(screen.getByRole("button", { name: "Go on" }));
  fireEvent.change(await screen.findByLabelText("Code, or recovery code"), { target: { value: "123456" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
}
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
  it("is begun with a password and a second factor, which are kept nowhere", async () => {
    let signedIn = false;
    const asked = answers({
      "GET /api/v1/me": () => (signedIn ? PERSON : UNAUTHORIZED()),
      "POST /api/v1/sign-in": () => ({ step: "second-factor", passkey: null }),
      "POST /api/v1/sign-in/second-factor": () => {
        signedIn = true;
        return { step: "signed-in" };
      },
    });
    render(gate());
    await signIn();
    await screen.findByLabelText("Draft");
    const posts = asked.filter((request) => request.method === "POST");
    expect(await Promise.all(posts.map((request) => request.json()))).toEqual([{ name: "anna", password: PASSWORD }, { code: "123456" }]);
    expect(posts.every((request) => request.headers.get("Aether-Request") === "1")).toBe(true);
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("velvet");
  });
  it("begins with the password again when it is not told what was wrong", async () => {
    answers({
      "GET /api/v1/me": UNAUTHORIZED,
      "POST /api/v1/sign-in": () => ({ step: "second-factor", passkey: null }),
      "POST /api/v1/sign-in/second-factor": () => new Response(JSON.stringify({ type: "urn:aether:problem:sign-in-failed", detail: "Not right." }), { status: 401 }),
    });
    render(gate());
    await signIn();
    await screen.findByLabelText("Password");
  });
  it("confirms one action with the second factor and goes on with it under the same key", async () => {
    let confirmed = "";
    const asked = answers({
      "GET /api/v1/me": () => PERSON,
      "POST /api/v1/kill-switch/3/lift": (request) => {
        confirmed = request.headers.get("Aether-Step-Up") ?? "";
        return confirmed === "ref"
          ? { code: "accepted", detail: "lifted" }
          : new Response(JSON.stringify({ type: "urn:aether:problem:step-up-required", operation: "lift_kill_switch", detail: "Confirm" }), { status: 403 });
      },
      "POST /api/v1/me/step-ups": () => ({ step_up: "u1", operation: "lift_kill_switch", path: "/p", content: { reason: "looked into it" }, nonce: "n", challenge: "c", passkey: null }),
      "POST /api/v1/me/step-ups/u1": () => ({ reference: "ref", expires_at: PERSON.ends_at, method: "totp", evidence: "shows_content: false" }),
    });
    render(gate());
    await screen.findByLabelText("Draft");
    const sent = brought(client.POST("/api/v1/kill-switch/{number}/lift", { params: { path: { number: 3 }, header: { "Idempotency-Key": "k".repeat(32) } }, body: { reason: "looked into it" } }));
    await screen.findByText("looked into it");
    fireEvent.change(screen.getByLabelText("Code"), { target: { value: "123456" } });
    fireEvent.click(screen.getByRole("button", { name: "Confirm" }));
    expect(await sent).toEqual({ code: "accepted", detail: "lifted" });
    const lifts = asked.filter((request) => request.url.endsWith("/lift"));
    expect(lifts.map((request) => request.headers.get("Idempotency-Key"))).toEqual(["k".repeat(32), "k".repeat(32)]);
    expect(await asked.find((request) => request.url.endsWith("/step-ups"))?.json()).toEqual({
      operation: "lift_kill_switch", path: "/api/v1/kill-switch/3/lift", body: { reason: "looked into it" },
    });
  });
  it("that ends keeps what was typed, and goes on after signing in again", async () => {
    let over = false;
    answers({
      "GET /api/v1/me": () => PERSON,
      "POST /api/v1/sign-in": () => ({ step: "second-factor", passkey: null }),
      "POST /api/v1/sign-in/second-factor": () => ({ step: "signed-in" }),
      "GET /api/v1/kill-switch": () => (over ? UNAUTHORIZED() : []),
    });
    render(gate());
    fireEvent.change(await screen.findByLabelText("Draft"), { target: { value: "half a thought" } });
    over = true;
    fireEvent.click(screen.getByRole("button", { name: "Ask" }));
    await screen.findByText(/The session has ended/);
    await signIn();
    await waitFor(() => expect(screen.queryByText(/The session has ended/)).toBeNull());
    expect(screen.getByLabelText<HTMLInputElement>("Draft").value).toBe("half a thought");
  });
  it("announces its end two minutes ahead, over what is open", async () => {
    answers({ "GET /api/v1/me": () => ({ ...PERSON, ends_at: new Date(Date.now() + 119_000).toISOString() }) });
    render(gate());
    await screen.findByText(/The session ends in 1[0-2]\d s\. What is typed stays as it is\./);
    fireEvent.click(screen.getByRole("button", { name: "Sign in again now" }));
    await screen.findByRole("heading", { name: "Sign in again" });
  });
  it("says nothing of an end that is far off", async () => {
    answers({ "GET /api/v1/me": () => ({ ...PERSON, ends_at: new Date(Date.now() + 3_600_000).toISOString() }) });
    render(gate());
    await screen.findByLabelText("Draft");
    expect(screen.queryByText(/The session ends/)).toBeNull();
  });
  it("that ends in one tab ends in all", async () => {
    answers({ "GET /api/v1/me": () => PERSON });
    render(gate());
    await screen.findByLabelText("Draft");
    const other = new BroadcastChannel("aether");
    act(() => announce({ kind: "signed-in" }));
    other.postMessage({ kind: "signed-out" });
    await screen.findByText(/The session has ended/);
    other.close();
  });
});
