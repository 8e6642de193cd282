import { expect, test } from "@playwright/test";

import { shot, signIn } from "./person";
import { aether, expectNoOverflow, priceOf } from "./stack";

/** Trading by hand, against a whole running stack. */
test.skip(process.env.AETHER_SEEDED === "1", "needs workers");

/** Sell what strategies have bought: their trades may leave an entry by hand no room in the limits. */
function makeRoom(account: string): void {
  const open = JSON.parse(aether("trade", "list", account, "--open", "--json")) as { number: number }[];
  for (const trade of open) aether("trade", "close", account, String(trade.number));
}

test("a trade by hand is shown, ordered, protected, steered and closed", async ({ page }) => {
  makeRoom("company");
  await signIn(page, undefined, "/accounts/company/trade");
  const stop = Math.floor((await priceOf(page)) * 0.97);
  await page.getByLabel(/^Stop/).fill(String(stop));
  await page.getByLabel(/^Quantity/).fill("0.01");
  await page.getByRole("button", { name: "Show what it comes to" }).click();
  await expect(page.getByRole("region", { name: "Preview" })).toContainText("Limits after it");
  await expectNoOverflow(page);
  await shot(page, "flow-preview");
  const link = page.getByRole("region", { name: "Preview" }).getByRole("link", { name: /^Trade \d+/ });
  for (let tries = 0; tries < 4; tries += 1) {
    const buy = page.getByRole("button", { name: /Buy for company \(simulated\): 0\.01 BTC\/USD/ });
    if (await buy.isEnabled()) {
      await buy.dblclick();
      const done = await page.getByText("The trade is in the record.").waitFor({ timeout: 8000 }).then(() => true, () => false);
      if (done) break;
    }
    // The generated market moves ten times as fast: a preview that holds no more is shown anew.
    const asked = page.waitForResponse((answer) => answer.url().endsWith("/trades/preview"));
    await page.getByRole("button", { name: "Show anew" }).click();
    await asked;
  }
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
  // One's own change is no surprise: the next one goes on from it.
  await expect(page.getByText(/It has changed since/)).toHaveCount(0);
  await page.getByRole("button", { name: "Another one" }).click();
  await page.getByLabel(/^risk\.risk_share/).fill("0.0035");
  await page.getByLabel("Reason").fill("calmer still");
  await page.getByRole("button", { name: "Change 1 of director-2" }).click();
  await expect(page.getByText("Version 2 is in force.").first()).toBeVisible();
});
