import { type Browser, expect, type Page, test } from "@playwright/test";

import { confirm, expectAccessible, settled, shot, signIn } from "./person";
import { expectNoOverflow } from "./stack";

/** What takes two people, and what stops everything, against a whole running stack. */
test.skip(process.env.AETHER_SEEDED === "1", "needs workers");

test("a change of the universe takes two people in two browsers", async ({ page, browser }) => {
  await signIn(page, undefined, "/universe");
  await page.getByLabel("Pairs that leave").fill("ADA/USD");
  await page.getByLabel("Reason").fill("too thin");
  await page.getByRole("button", { name: "Ask for the change" }).click();
  await expect(page.getByText("It waits for another person.")).toBeVisible();
  await expect(page.getByText("You asked for this: another person approves it.")).toBeVisible();
  await asBruno(browser, "/universe", async (second) => {
    await second.getByRole("button", { name: /Approve change/ }).click();
    await confirm(second, "bruno");
    await expect(second.getByRole("heading", { name: /Change \d+: applied/ })).toBeVisible();
    // Told by the record: nobody reloads the first browser.
    await expect(page.getByRole("heading", { name: /Change \d+: applied/ })).toBeVisible();
  });
});

test("a change freeze refuses changes, says so, and ends with a confirmation", async ({ page }) => {
  await signIn(page, undefined, "/system");
  await page.getByText("Freeze changes", { exact: true }).click();
  const freeze = page.getByRole("region", { name: "Change freeze" });
  await freeze.getByLabel("Reason").fill("quarter end");
  await freeze.getByRole("button", { name: "Freeze changes now" }).click();
  await expect(page.getByRole("heading", { name: /Frozen: quarter end/ })).toBeVisible();
  await shot(page, "flow-frozen");
  await page.goto("/accounts/director-2/settings");
  await page.getByLabel(/^risk\.risk_share/).fill("0.006");
  await page.getByLabel("Reason").fill("bolder");
  await page.getByLabel("Type director-2 to confirm").fill("director-2");
  await page.getByRole("button", { name: "Change 1 of director-2" }).click();
  await expect(page.getByRole("alert")).toContainText(/frozen/i);
  await expect(page.getByRole("alert")).toContainText("Nothing was changed.");
  await page.goto("/system");
  await freeze.getByLabel("Reason").fill("the books are closed");
  await freeze.getByRole("button", { name: /^End freeze/ }).click();
  await confirm(page, "anna");
  await expect(page.getByText("Changes are not frozen.")).toBeVisible();
});

test("a kill switch of one pair stops that pair and no other", async ({ page, browser }) => {
  await signIn(page);
  await engage(page, "ETH/USD");
  await expect(page.getByText(/Kill switch \d+ of ETH\/USD stands/)).toBeVisible();
  await lift(page, browser);
});

test("the kill switch stops every account, which says so, and is lifted by a second person", async ({ page, browser }) => {
  await signIn(page);
  await engage(page);
  await expect(page.getByText(/Kill switch \d+ stands: nothing is bought/)).toBeVisible();
  await expectNoOverflow(page);
  await shot(page, "flow-halted");
  await lift(page, browser);
  await page.goto("/");
  await expect(page.getByText(/Kill switch \d+/)).toHaveCount(0);
});

async function engage(page: Page, pairs = ""): Promise<void> {
  await page.getByRole("button", { name: "Kill switch" }).click();
  await page.getByLabel(/^Only these pairs/).fill(pairs);
  await page.getByRole("button", { name: "Stop now: all accounts" }).click();
  await expect(page.getByText(/Kill switch \d+ stands in the record/)).toBeVisible();
  await expect(page.getByText("Every account has acknowledged.")).toBeVisible();
  await expectAccessible(page);
  await shot(page, pairs ? "flow-kill-switch-pair" : "flow-kill-switch");
  await page.keyboard.press("Escape");
}

/** Ask for it as who has engaged it; another person approves it in a browser of their own. */
async function lift(page: Page, browser: Browser): Promise<void> {
  await page.getByRole("link", { name: "System", exact: true }).first().click();
  await page.getByText("Lift it").click();
  const form = page.getByRole("region", { name: "Kill switches" });
  await form.getByLabel("Reason").fill("looked into it");
  const word = await form.getByLabel(/^Type \d+ to confirm/).evaluate((field: HTMLInputElement) => field.labels?.[0]?.textContent ?? "");
  await form.getByLabel(/^Type \d+ to confirm/).fill(/\d+/.exec(word)?.[0] ?? "");
  await form.getByRole("button", { name: /^Ask to lift kill switch/ }).click();
  await expect(page.getByText(/has asked for it/)).toBeVisible();
  await page.goto("/approvals");
  await expect(page.getByText(/You asked for this: another person approves it/)).toBeVisible();
  await asBruno(browser, "/approvals", async (second) => {
    await settled(second);
    await shot(second, "flow-lift-approval");
    await second.getByRole("button", { name: /Approve/ }).click();
    await confirm(second, "bruno");
    await expect(second.getByText("Nothing waits for a decision.")).toBeVisible();
  });
  await page.goto("/system");
  await expect(page.getByText("Lifted before").first()).toBeVisible();
  await expect(page.getByText("Lift it")).toHaveCount(0);
}

async function asBruno(browser: Browser, path: string, act: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, "bruno", path);
  await act(page);
  await context.close();
}
