import { execFileSync } from "node:child_process";

import { type BrowserContext, expect, type Page, test } from "@playwright/test";

import { confirm, shot, signIn } from "./person";

/** What people do, against a whole running stack: `python -m tests.browser flows`. */
test.describe.configure({ mode: "serial" });
test.skip(process.env.AETHER_SEEDED === "1", "needs workers");

const status = (page: Page) => page.getByRole("banner").getByRole("status").first();

async function priceOf(page: Page): Promise<number> {
  const room = await page.request.get("/api/v1/control-room").then((answer) => answer.json());
  return Number(room.market.symbols.find((line: { symbol: string }) => line.symbol === "BTC/USD").last);
}

function aether(...words: string[]): string {
  const [program = "python", ...rest] = (process.env.AETHER_CLI ?? "python -m cli.entry").split(" ");
  return execFileSync(program, [...rest, ...words], { cwd: "..", encoding: "utf8" });
}

test("a trade by hand is shown, ordered, protected, steered and closed", async ({ page }) => {
  await signIn(page, undefined, "/accounts/company/trade");
  const stop = Math.floor((await priceOf(page)) * 0.97);
  await page.getByLabel(/^Stop/).fill(String(stop));
  await page.getByLabel(/^Quantity/).fill("0.01");
  await page.getByRole("button", { name: "Show what it comes to" }).click();
  await expect(page.getByRole("region", { name: "Preview" })).toContainText("Limits after it");
  await expectNoOverflow(page);
  await shot(page, "flow-preview");
  for (let tries = 0; tries < 4; tries += 1) {
    const buy = page.getByRole("button", { name: /Buy for company \(simulated\): 0\.01 BTC\/USD/ });
    if (await buy.isEnabled()) {
      await buy.dblclick();
      const done = await page.getByText("The trade is in the record.").waitFor({ timeout: 8000 }).then(() => true, () => false);
      if (done) break;
    }
    // The generated market moves ten times as fast: a preview that holds no more is shown anew.
    await page.getByRole("button", { name: "Show anew" }).click();
    await page.waitForTimeout(300);
  }
  const link = page.getByRole("region", { name: "Preview" }).getByRole("link", { name: /^Trade \d+/ });
  await expect(link).toBeVisible();
  await link.click();
  await expect(page.locator("main")).toContainText("acknowledged by the exchange");
  await expect(page.locator("main")).toContainText("bought 0.01");
  const higher = Math.floor((await priceOf(page)) * 0.975);
  await page.getByLabel(/^New stop/).fill(String(higher));
  await page.getByRole("button", { name: /Move the stop of company's trade/ }).click();
  await expect(page.getByText("The stop stands there.")).toBeVisible();
  await expectNoOverflow(page);
  await shot(page, "flow-trade");
  await page.getByRole("button", { name: /Sell all of trade \d+ of company/ }).click();
  await expect(page.getByRole("heading", { name: /BTC\/USD: settled/ })).toBeVisible();
});

test("the hedge is set by hand and given back", async ({ page }) => {
  await signIn(page, undefined, "/accounts/director-1/hedge");
  await page.getByLabel(/^Share in USD/).fill("95");
  await page.getByLabel("Reason").fill("a storm is coming");
  await page.getByRole("button", { name: "Hold 95 % of director-1 in USD" }).click();
  await expect(page.getByText("The override stands in the record.")).toBeVisible();
  await expect(page.locator("main")).toContainText("95.00");
  await shot(page, "flow-hedge");
  await page.getByRole("button", { name: /back to the formula/ }).click();
  await expect(page.getByText("The formula decides again.")).toBeVisible();
});

test("a setting is changed with its difference shown", async ({ page }) => {
  await signIn(page, undefined, "/accounts/director-2/settings");
  await page.getByLabel(/^risk\.risk_share/).fill("0.004");
  await expect(page.getByRole("region", { name: "Changes" })).toContainText("0.005 → 0.004");
  await page.getByLabel("Reason").fill("calmer");
  await page.getByRole("button", { name: "Change 1 of director-2" }).click();
  await expect(page.getByText("Version 1 is in force.").first()).toBeVisible();
});

test("a change of the universe takes two people in two browsers", async ({ page, browser }) => {
  await signIn(page, undefined, "/universe");
  await page.getByLabel("Pairs that leave").fill("ADA/USD");
  await page.getByLabel("Reason").fill("too thin");
  await page.getByRole("button", { name: "Ask for the change" }).click();
  await expect(page.getByText("It waits for another person.")).toBeVisible();
  await expect(page.getByText("You asked for this: another person approves it.")).toBeVisible();
  const other = await browser.newContext();
  const second = await other.newPage();
  await signIn(second, "bruno", "/universe");
  await second.getByRole("button", { name: /Approve change/ }).click();
  await confirm(second, "bruno");
  await expect(second.getByRole("heading", { name: /Change \d+: applied/ })).toBeVisible();
  // Told by the record: nobody reloads the first browser.
  await expect(page.getByRole("heading", { name: /Change \d+: applied/ })).toBeVisible();
  await other.close();
});

test("ten tabs share one stream, and a tab that takes over resumes", async ({ context, page }) => {
  const streams = countStreams(context);
  await signIn(page);
  const tabs = await Promise.all(Array.from({ length: 9 }, () => context.newPage()));
  await Promise.all(tabs.map((tab) => tab.goto("/")));
  for (const tab of tabs) await expect(status(tab)).toContainText("Live");
  expect(streams.open()).toBe(1);
  await page.close();
  await expect.poll(() => streams.addresses.length, { timeout: 15_000 }).toBe(2);
  expect(streams.addresses[1]).toContain("after=");
  for (const tab of tabs) await expect(status(tab)).toContainText("Live");
});

test("a lost connection leaves the kill switch and comes back", async ({ page }) => {
  await signIn(page, undefined, "/accounts/company");
  const halt = page.getByRole("button", { name: "Halt company" });
  await expect(halt).toBeEnabled();
  aether("process", "stop", "api");
  await expect(status(page)).toContainText("Lost", { timeout: 10_000 });
  await expect(halt).toBeDisabled();
  await expect(page.getByRole("button", { name: "Kill switch" })).toBeEnabled();
  await expect(page.getByRole("button", { name: "Sign out" })).toBeEnabled();
  await shot(page, "flow-lost");
  aether("process", "start", "api");
  await expect(status(page)).toContainText("Live", { timeout: 30_000 });
  await expect(halt).toBeEnabled();
});

test("changes are on the page soon after they are committed", async ({ page }) => {
  await signIn(page);
  const late = await page.evaluate(async () => {
    const found: number[] = [];
    const source = new EventSource("/api/v1/events");
    source.addEventListener("record", (event) => found.push(Date.now() - Date.parse(JSON.parse((event as MessageEvent<string>).data).at)));
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    source.close();
    return found.sort((a, b) => a - b);
  });
  test.info().annotations.push({ type: "events", description: `${late.length} events, p95 ${late[Math.floor(late.length * 0.95)]} ms` });
  console.log(`commit to browser: ${late.length} events, p50 ${late[Math.floor(late.length * 0.5)]} ms, p95 ${late[Math.floor(late.length * 0.95)]} ms`);
  expect(late.length).toBeGreaterThan(5);
  expect(late[Math.floor(late.length * 0.95)]).toBeLessThan(300);
});

test("the kill switch stops every account, which says so, and is lifted", async ({ page }) => {
  await signIn(page);
  await page.getByRole("button", { name: "Kill switch" }).click();
  await page.getByRole("button", { name: "Stop now: all accounts" }).click();
  await expect(page.getByText(/Kill switch \d+ stands in the record/)).toBeVisible();
  await expect(page.getByText("Every account has acknowledged.")).toBeVisible();
  await shot(page, "flow-kill-switch");
  await page.keyboard.press("Escape");
  await expect(page.getByText(/stands: nothing is bought/)).toBeVisible();
  await shot(page, "flow-halted");
  await page.getByRole("link", { name: "System", exact: true }).first().click();
  await page.getByText("Lift it").click();
  await page.getByLabel("Reason").fill("looked into it");
  const word = await page.getByLabel(/^Type \d+ to confirm/).evaluate((field: HTMLInputElement) => field.labels?.[0]?.textContent ?? "");
  await page.getByLabel(/^Type \d+ to confirm/).fill(/\d+/.exec(word)?.[0] ?? "");
  await page.getByRole("button", { name: /^Lift kill switch/ }).click();
  await expect(page.getByText("Lifted before")).toBeVisible();
});

test("a session that is ended elsewhere ends its streams at once; signing out reaches every tab", async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, "carla");
  const elsewhere = await context.request.get("/api/v1/me/sessions", { headers: { "Sec-Fetch-Site": "same-origin" } }).then((answer) => answer.json());
  const current = elsewhere.find((one: { current: boolean }) => one.current);
  const second = await context.newPage();
  await second.goto("/audit");
  await expect(status(second)).toContainText("Live");
  const begun = Date.now();
  await context.request.delete(`/api/v1/me/sessions/${current.session_id}`, { headers: { "Sec-Fetch-Site": "same-origin", "Aether-Request": "1" } });
  await expect(page.getByRole("heading", { name: "Sign in again" })).toBeVisible({ timeout: 5000 });
  console.log(`the session's end was on the page after ${Date.now() - begun} ms`);
  await expect(second.getByRole("heading", { name: "Sign in again" })).toBeVisible();
  await context.close();
});

async function expectNoOverflow(page: Page): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, "nothing stands out of the page").toBeLessThanOrEqual(0);
}

function countStreams(context: BrowserContext) {
  const addresses: string[] = [];
  let open = 0;
  context.on("request", (request) => {
    if (!request.url().includes("/api/v1/events")) return;
    addresses.push(request.url());
    open += 1;
  });
  context.on("requestfinished", (request) => void (request.url().includes("/api/v1/events") && (open -= 1)));
  context.on("requestfailed", (request) => void (request.url().includes("/api/v1/events") && (open -= 1)));
  return { addresses, open: () => open };
}
