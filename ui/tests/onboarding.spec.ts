import { execFileSync } from "node:child_process";

import { expect, test } from "@playwright/test";

import { expectAccessible, shot, signInAfterSetUp } from "./person";

test.skip(process.env.AETHER_SEEDED === "1", "needs workers");

/** From an empty database to the first simulated trade; left half-way, and resumed. */
test("the first director sets the platform up and sees its first trade", async ({ page, browser }) => {
  const [program = "python", ...rest] = (process.env.AETHER_CLI ?? "python -m cli.entry").split(" ");
  const printed = execFileSync(program, [...rest, "admin", "set-up-link"], { cwd: "..", encoding: "utf8" });
  const link = /https?:\/\/\S+/.exec(printed)?.[0] ?? "";
  await page.goto(link);
  await signInAfterSetUp(page, "dora");
  await page.goto("/begin");
  await expect(page.getByText(/Next: A second director/)).toBeVisible();
  await expect(page.getByText(/Equity at risk between entry and stop/).first()).toBeVisible();
  await shot(page, "onboarding-light");
  await expectAccessible(page);
  await page.getByRole("button", { name: "These limits suit company" }).click();
  await page.goto("/");
  await page.goto("/begin");
  await expect(page.getByRole("button", { name: "These limits suit company" })).toHaveCount(0);
  await expect(page.getByText(/has traded/)).toBeVisible({ timeout: 400_000 });
  await page.getByRole("link", { name: "follow its trades" }).click();
  await expect(page.getByRole("heading", { name: /^Trades/ })).toBeVisible();
  await shot(page, "onboarding-first-trade");
  const elsewhere = await browser.newContext();
  const stranger = await elsewhere.newPage();
  await stranger.goto(link);
  await expect(stranger.locator("#problem")).not.toBeEmpty();
  await elsewhere.close();
});
