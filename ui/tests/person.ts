import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { AxeBuilder } from "@axe-core/playwright";
import { type Cookie, expect, type Page } from "@playwright/test";

const PASSWORD = process.env.AETHER_PASSWORD ?? "";
const URL_OF = process.env.AETHER_URL ?? "";
export const SHOTS = "../build/browser";
const KEPT = `${SHOTS}/people.json`;

/** What a person has: the secret of the authenticator, the last time step used, the session. */
interface Kept {
  secret: string;
  step: number;
  cookies: Cookie[];
}

function kept(): Record<string, Kept> {
  return existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, "utf8")) as Record<string, Kept>) : {};
}

function keep(name: string, person: Kept): void {
  mkdirSync(SHOTS, { recursive: true });
  writeFileSync(KEPT, JSON.stringify({ ...kept(), [`${URL_OF} ${name}`]: person }));
}

function base32(text: string): Buffer {
  let bits = "";
  for (const letter of text.replace(/[ =]/g, "")) bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** RFC 6238; each time step is taken once only, so the next one is waited for. */
async function nextCode(person: Kept): Promise<string> {
  const now = () => Math.floor(Date.now() / 30_000);
  while (now() <= person.step - 1) await new Promise((resolve) => setTimeout(resolve, 500));
  person.step = Math.max(now(), person.step + 1);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(person.step));
  const hash = createHmac("sha1", base32(person.secret)).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Sign in as a person does, the first time with an authenticator set up; later with what is kept. */
export async function signIn(page: Page, name = "anna", path = "/"): Promise<void> {
  const known = kept()[`${URL_OF} ${name}`];
  if (known) await page.context().addCookies(known.cookies);
  await page.goto(path);
  const status = page.getByRole("banner").getByRole("status").first();
  const asked = page.getByLabel("Password", { exact: true });
  await expect(status.or(asked).first()).toBeVisible();
  if (await asked.isVisible()) {
    await page.getByLabel("Name", { exact: true }).fill(name);
    await asked.fill(PASSWORD);
    await page.getByRole("button", { name: "Go on" }).click();
    const person = known ?? { secret: "", step: 0, cookies: [] };
    const code = page.getByLabel(/^Code/);
    await expect(code).toBeVisible();
    if (await page.getByTestId("secret").isVisible()) {
      person.secret = (await page.getByTestId("secret").textContent()) ?? "";
      await code.fill(await nextCode(person));
      await page.getByRole("button", { name: "Confirm" }).click();
      await page.getByRole("button", { name: "They are kept: go on" }).click();
    } else {
      await code.fill(await nextCode(person));
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
    }
    keep(name, { ...person, cookies: await page.context().cookies() });
  }
  await expect(status).toContainText("Live");
}

/** Sign in over a page that is open, whose session has ended. */
export async function signInAgain(page: Page, name: string): Promise<void> {
  const person = kept()[`${URL_OF} ${name}`];
  if (!person) throw new Error(`${name} has not signed in`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByLabel(/^Code/).fill(await nextCode(person));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Sign in again" })).toBeHidden();
  keep(name, { ...person, cookies: await page.context().cookies() });
}

/** Go through the page of a set-up link as the first director, and on to the control room. */
export async function signInAfterSetUp(page: Page, name: string): Promise<void> {
  await page.locator("#name").fill(name);
  await page.locator("#display").fill(name);
  await page.locator("#password").fill(PASSWORD);
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.locator("#secret")).not.toBeEmpty();
  const person: Kept = { secret: (await page.locator("#secret").textContent()) ?? "", step: 0, cookies: [] };
  await page.locator("#code").fill(await nextCode(person));
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("link", { name: /go on to the control room/ }).click();
  await expect(page.getByRole("banner").getByRole("status").first()).toContainText("Live");
  keep(name, { ...person, cookies: await page.context().cookies() });
}

/** Confirm the action that waits with the authenticator. */
export async function confirm(page: Page, name: string): Promise<void> {
  const person = kept()[`${URL_OF} ${name}`];
  if (!person) throw new Error(`${name} has not signed in`);
  const dialog = page.getByRole("dialog", { name: "Confirm" });
  await expect(dialog).toBeVisible();
  await dialog.getByLabel("Code").fill(await nextCode(person));
  await shot(page, "flow-confirm");
  await dialog.getByRole("button", { name: "Confirm", exact: true }).click();
  await expect(dialog).toBeHidden();
  keep(name, { ...person, cookies: await page.context().cookies() });
}

/** Wait until nothing is being read or drawn any more: as people see the page. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByText(/^(Reading|Drawing|Asking what) /)).toHaveCount(0);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

export async function shot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

export async function expectAccessible(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  const broken = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  expect(broken).toEqual([]);
}
