import { execFileSync } from "node:child_process";

import { expect, type BrowserContext, type Locator, type Page } from "@playwright/test";

/** The badge that says how the live data come. */
export const connectionOf = (page: Page): Locator => page.getByRole("banner").getByRole("status").first();

export async function priceOf(page: Page, symbol = "BTC/USD"): Promise<number> {
  const room = await page.request.get("/api/v1/control-room").then((answer) => answer.json());
  return Number(room.market.symbols.find((line: { symbol: string }) => line.symbol === symbol).last);
}

/** Run a command of the platform, as an administrator would on its machine. */
export function aether(...words: string[]): string {
  return command(process.env.AETHER_CLI ?? "python -m cli.entry", words);
}

/** Run a module of the tests beside the stack. */
export function beside(module: string, ...words: string[]): string {
  return command(`${process.env.AETHER_PYTHON ?? "python"} -m ${module}`, words);
}

function command(text: string, words: readonly string[]): string {
  const [program = "python", ...rest] = text.split(" ");
  return execFileSync(program, [...rest, ...words], { cwd: "..", encoding: "utf8" });
}

export async function expectNoOverflow(page: Page): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, "nothing stands out of the page").toBeLessThanOrEqual(0);
}

export function countStreams(context: BrowserContext) {
  const addresses: string[] = [];
  let open = 0;
  const isStream = (url: string) => url.includes("/api/v1/events");
  context.on("request", (request) => {
    if (!isStream(request.url())) return;
    addresses.push(request.url());
    open += 1;
  });
  context.on("requestfinished", (request) => void (isStream(request.url()) && (open -= 1)));
  context.on("requestfailed", (request) => void (isStream(request.url()) && (open -= 1)));
  return { addresses, open: () => open };
}
