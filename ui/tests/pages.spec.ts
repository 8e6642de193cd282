import { expect, test } from "@playwright/test";

import { expectAccessible, shot, signIn } from "./person";

/** Every page, over the filled record of `python -m tests.browser.seeded`. */
const PAGES: readonly [string, string, RegExp][] = [
  ["overview", "/", /100,000|99,|USD/],
  ["account", "/accounts/company", /Positions/],
  ["account-bare", "/accounts/director-1", /under stops/],
  ["trade", "/accounts/company/trades/12", /Order events/],
  ["manual", "/accounts/company/trade", /What/],
  ["hedge", "/accounts/company/hedge", /storm ahead/],
  ["capital", "/accounts/company/capital", /Closed days/],
  ["report", "/accounts/company/report", /Deepest fall/],
  ["mode", "/accounts/company/mode", /Changes of mode/],
  ["account-settings", "/accounts/company/settings", /risk\.risk_share/],
  ["settings", "/settings", /compliance\.peg_tolerance/],
  ["approvals", "/approvals", /38,640/],
  ["universe", "/universe", /Ask for a change/],
  ["people", "/people", /Your second factors/],
  ["audit", "/audit?scope=company", /account_created/],
  ["system", "/system", /Readiness/],
];

test.describe("pages", () => {
  test.skip(process.env.AETHER_SEEDED !== "1", "needs the filled record");
  for (const [name, path, words] of PAGES) {
    test(name, async ({ page }) => {
      const refused: string[] = [];
      page.on("console", (message) => {
        if (/Content.Security.Policy|TrustedHTML/i.test(message.text())) refused.push(message.text());
      });
      page.on("pageerror", (error) => refused.push(error.message));
      await signIn(page, undefined, path);
      await expect(page.locator("main")).toContainText(words);
      await page.waitForTimeout(400);
      await shot(page, `${name}-light`);
      await expectAccessible(page);
      await page.emulateMedia({ colorScheme: "dark" });
      await expectAccessible(page);
      await shot(page, `${name}-dark`);
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 390, height: 844 });
      await page.waitForTimeout(200);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide, "no page scrolls sideways on a phone").toBeLessThanOrEqual(0);
      await shot(page, `${name}-phone`);
      await expectAccessible(page);
      expect(refused).toEqual([]);
    });
  }
});
