import { expect, test } from "@playwright/test";

import { shot, signIn, signInAgain } from "./person";
import { aether, beside, connectionOf, countStreams } from "./stack";

/** Connections and sessions that end, against a whole running stack. */
test.skip(process.env.AETHER_SEEDED === "1", "needs workers");

test("ten tabs share one stream, and a tab that takes over resumes", async ({ context, page }) => {
  const streams = countStreams(context);
  await signIn(page);
  const tabs = await Promise.all(Array.from({ length: 9 }, () => context.newPage()));
  await Promise.all(tabs.map((tab) => tab.goto("/")));
  for (const tab of tabs) await expect(connectionOf(tab)).toContainText("Live");
  expect(streams.open()).toBe(1);
  await page.close();
  await expect.poll(() => streams.addresses.length).toBe(2);
  expect(streams.addresses[1]).toContain("after=");
  for (const tab of tabs) await expect(connectionOf(tab)).toContainText("Live");
});

test("a lost connection leaves the kill switch and comes back", async ({ page }) => {
  await signIn(page, undefined, "/accounts/company");
  const halt = page.getByRole("button", { name: "Halt company" });
  await expect(halt).toBeEnabled();
  aether("process", "stop", "api");
  await expect(connectionOf(page)).toContainText("Lost");
  await expect(halt).toBeDisabled();
  await expect(page.getByRole("button", { name: "Kill switch" })).toBeEnabled();
  await expect(page.getByRole("button", { name: "Sign out" })).toBeEnabled();
  await shot(page, "flow-lost");
  aether("process", "start", "api");
  await expect(connectionOf(page)).toContainText("Live", { timeout: 60_000 });
  await expect(halt).toBeEnabled();
});

test("a session's end is announced, keeps what was typed, and is signed in over", async ({ page }) => {
  await signIn(page, "carla", "/accounts/company/hedge");
  await page.getByLabel("Reason").fill("typed before the session ended");
  beside("tests.browser.sessions", "carla", "20");
  // Whoever comes to the page now is told; the page that is open asks when it is read anew.
  await page.evaluate(() => globalThis.dispatchEvent(new Event("focus")));
  const elsewhere = await page.context().newPage();
  await elsewhere.goto("/");
  await expect(elsewhere.getByText(/The session ends in \d+ s/)).toBeVisible();
  await shot(elsewhere, "flow-session-ending");
  await elsewhere.close();
  await expect(page.getByRole("heading", { name: "Sign in again" })).toBeVisible();
  await shot(page, "flow-session-ended");
  await signInAgain(page, "carla");
  await expect(page.getByRole("heading", { name: "Sign in again" })).toBeHidden();
  await expect(page.getByLabel("Reason")).toHaveValue("typed before the session ended");
  await expect(connectionOf(page)).toContainText("Live");
});

test("a session that is ended elsewhere ends its streams at once; signing out reaches every tab", async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, "carla");
  const sessions = await context.request.get("/api/v1/me/sessions", { headers: { "Sec-Fetch-Site": "same-origin" } }).then((answer) => answer.json());
  const current = sessions.find((one: { current: boolean }) => one.current);
  const second = await context.newPage();
  await second.goto("/audit");
  await expect(connectionOf(second)).toContainText("Live");
  await context.request.delete(`/api/v1/me/sessions/${current.session_id}`, { headers: { "Sec-Fetch-Site": "same-origin", "Aether-Request": "1" } });
  await expect(page.getByRole("heading", { name: "Sign in again" })).toBeVisible();
  await expect(second.getByRole("heading", { name: "Sign in again" })).toBeVisible();
  await context.close();
});
