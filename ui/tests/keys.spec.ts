import { type APIRequestContext, expect, type Page, test } from "@playwright/test";

import { confirm, expectAccessible, shot, signIn } from "./person";

/** Exchange keys, good and bad, which the exchange simulator issues. */
test.skip(process.env.AETHER_SEEDED === "1", "needs workers");

interface Issued {
  readonly key: string;
  readonly secret: string;
}

/** Do what a person does on the exchange's website. */
async function issue(request: APIRequestContext, account: string, permissions?: readonly string[]): Promise<Issued> {
  const answer = await request.post(`${process.env.AETHER_EXCHANGE}/control/keys`, { data: { account, ...(permissions ? { permissions } : {}) } });
  expect(answer.ok(), await answer.text()).toBe(true);
  return (await answer.json()) as Issued;
}

async function upload(page: Page, issued: Issued): Promise<void> {
  await page.getByLabel("For", { exact: true }).selectOption("simulated");
  await page.getByLabel("API key").fill(issued.key);
  await page.getByLabel("Private key").fill(issued.secret);
  await page.getByRole("button", { name: /(Store a|Rotate the) simulated key/ }).click();
  await confirm(page, "anna");
}

test("a key that may withdraw, lacks a right or is unknown is refused, and why", async ({ page }) => {
  await signIn(page, undefined, "/accounts/director-1/keys");
  const bad: readonly [Issued, RegExp][] = [
    [await issue(page.request, "director-1", ["query-funds", "query-open-orders", "query-closed-orders", "query-ledger", "modify-orders", "cancel-orders", "websocket", "withdraw-funds"]), /must not have: withdraw/],
    [await issue(page.request, "director-1", ["query-funds"]), /The key lacks rights/],
    [{ key: "unknown", secret: Buffer.alloc(64, 7).toString("base64") }, /The exchange refuses the key/],
  ];
  for (const [issued, words] of bad) {
    await upload(page, issued);
    await expect(page.getByRole("alert")).toContainText(words);
    await expect(page.getByRole("alert")).toContainText("Nothing was stored; trading goes on with the key before.");
    await shot(page, "flow-key-refused");
    await page.getByRole("button", { name: "Begin again with a new key" }).click();
  }
  await expectAccessible(page);
});

test("a fit key takes the place of the one before, and is never shown", async ({ page }) => {
  await signIn(page, undefined, "/accounts/director-1/keys");
  const issued = await issue(page.request, "director-1");
  await upload(page, issued);
  await expect(page.getByText("Validated and stored.")).toBeVisible();
  await expect(page.getByRole("region", { name: "Exchange keys" })).toContainText(`…${issued.key.slice(-4)}`);
  await expect(page.getByText(/trades since/).first()).toBeVisible();
  expect(await page.content()).not.toContain(issued.secret);
  expect(await page.content()).not.toContain(issued.key);
  await shot(page, "flow-key-stored");
});
