import { type CDPSession, expect, type Page, test } from "@playwright/test";

import { confirm, expectAccessible, shot, signIn } from "./person";

/** Passkeys in a real browser: Chromium's own virtual authenticator makes and signs them. */
test.skip(process.env.AETHER_SEEDED !== "1", "needs the filled record");

/** Plug an authenticator in, as one built into a laptop; it says yes to whoever is there. */
async function authenticator(page: Page): Promise<{ client: CDPSession; id: string }> {
  const client = await page.context().newCDPSession(page);
  await client.send("WebAuthn.enable");
  const { authenticatorId } = await client.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  return { client, id: authenticatorId };
}

test("a passkey is added, confirms an action, signs in, and is refused where nobody is there", async ({ page }) => {
  await signIn(page, "bruno", "/people");
  const { client, id } = await authenticator(page);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a passkey" });
  await dialog.getByLabel("Name of it").fill("laptop of bruno");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Make a passkey here" }).click();
  await confirm(page, "bruno");
  await expect(dialog.getByText("It counts from now on.")).toBeVisible();
  await shot(page, "flow-passkey-added");
  await page.keyboard.press("Escape");
  const factors = page.getByRole("region", { name: /^Your second factors/ });
  await expect(factors).toContainText("laptop of bruno");
  expect((await client.send("WebAuthn.getCredentials", { authenticatorId: id })).credentials).toHaveLength(1);

  // It confirms one action, without a code.
  await page.getByRole("button", { name: "New recovery codes" }).click();
  const codes = page.getByRole("dialog", { name: "New recovery codes" });
  await codes.getByRole("button", { name: "Make new codes" }).click();
  await page.getByRole("button", { name: "Confirm with a passkey" }).click();
  await expect(codes.getByRole("button", { name: "They are kept: go on" })).toBeVisible();
  await codes.getByRole("button", { name: "They are kept: go on" }).click();

  // It signs in, without a code.
  await page.context().clearCookies();
  await page.goto("/");
  await page.getByLabel("Name", { exact: true }).fill("bruno");
  await page.getByLabel("Password", { exact: true }).fill(process.env.AETHER_PASSWORD ?? "");
  await page.getByRole("button", { name: "Go on" }).click();
  await shot(page, "flow-passkey-sign-in");
  await client.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified: false });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("alert")).toContainText(/passkey/i);
  await client.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified: true });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("banner").getByRole("status").first()).toContainText("Live");
});
