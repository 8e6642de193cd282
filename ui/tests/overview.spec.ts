import { expect, test } from "@playwright/test";

import { expectAccessible, settled, shot, signIn } from "./person";

test("the overview shows every account, live", async ({ page }) => {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
  });
  await signIn(page);
  for (const account of ["company", "director-1", "director-2"]) {
    await expect(page.getByRole("article").filter({ hasText: account })).toContainText("USD");
  }
  await settled(page);
  await shot(page, "overview-light");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Kill switch" }).click();
  await shot(page, "kill-switch");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "overview-dark");
  await expectAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await shot(page, "overview-phone");
  expect(complaints).toEqual([]);
});
