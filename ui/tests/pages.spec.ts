import { expect, test } from "@playwright/test";

import { expectAccessible, settled, shot, signIn } from "./person";

/** Every page, over the filled record of `python -m tests.browser.seeded`. */
const PAGES: readonly [string, string, RegExp][] = [
  ["overview", "/", /100,000|99,|USD/],
  ["account", "/accounts/company", /Positions/],
  ["account-bare", "/accounts/director-1", /under stops/],
  ["trade", "/accounts/company/trades/12", /Order events/],
  ["manual", "/accounts/company/trade", /What/],
  ["hedge", "/accounts/company/hedge", /storm ahead/],
  ["capital", "/accounts/company/capital", /Closed days/],
  ["report", "/accounts/company/report", /made on schedule/],
  ["stress", "/accounts/company/stress", /Stress tests so far/],
  ["reconciliation", "/accounts/company/reconciliation", /Comparisons with the exchange/],
  ["keys", "/accounts/company/keys", /trades since/],
  ["mode", "/accounts/company/mode", /Changes of mode/],
  ["account-settings", "/accounts/company/settings", /risk\.risk_share/],
  ["settings", "/settings", /compliance\.peg_tolerance/],
  ["portfolio", "/portfolio", /Exposure by asset/],
  ["market", "/market", /Every two pairs/],
  ["shadow", "/accounts/company/shadow", /Idea by idea/],
  ["alerts", "/alerts", /Your quiet hours/],
  ["approvals", "/approvals", /38,640/],
  ["universe", "/universe", /Ask for a change/],
  ["limits", "/accounts/company/limits", /Shares of equity/],
  ["lots", "/accounts/company/lots", /Realised gains/],
  ["strategies", "/strategies", /Ledger of trials/],
  ["backtests", "/backtests", /Compare two results/],
  ["backtest", "/backtests/a1", /Holding the same pairs/],
  ["set-up", "/begin", /First director and second factor/],
  ["people", "/people", /Your API tokens/],
  ["audit", "/audit?scope=company", /Checkpoints and witness/],
  ["system", "/system", /How long orders take/],
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
      await settled(page);
      await shot(page, `${name}-light`);
      await expectAccessible(page);
      await page.emulateMedia({ colorScheme: "dark" });
      await expectAccessible(page);
      await shot(page, `${name}-dark`);
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 390, height: 844 });
      await settled(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide, "no page scrolls sideways on a phone").toBeLessThanOrEqual(0);
      await shot(page, `${name}-phone`);
      await expectAccessible(page);
      expect(refused).toEqual([]);
    });
  }
});
