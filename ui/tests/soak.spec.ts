import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

import { type CDPSession, expect, type Page, test } from "@playwright/test";

import { settled, SHOTS, signIn } from "./person";

/**
 * A thousand trades on a page that a hundred updates a second come to, for a long time: its memory does
 * not grow, no key and no press is lost, and what the record holds at the end is what the page shows.
 * `make ui-soak MINUTES=30`, result in `build/browser/soak.json`.
 */
const MINUTES = Number(process.env.AETHER_SOAK_MINUTES ?? "0");
const TRADES = Number(process.env.AETHER_SOAK_TRADES ?? "1000");
const RATE = Number(process.env.AETHER_SOAK_RATE ?? "100");
const SAMPLE_MS = 10_000;
/** What a page may vary by while it holds the same: garbage is collected before each look at it. */
const GROWTH_SHARE = 0.1;

test.skip(!process.env.AETHER_DATABASE, "needs `make ui-soak`");

interface Sample {
  readonly minute: number;
  readonly heap_mb: number;
  readonly nodes: number;
  readonly listeners: number;
  readonly api_mb: number;
}

interface Done {
  readonly trades: number;
  readonly updates: number;
  readonly seconds: number;
  readonly late: number;
}

test("a page with a thousand trades and a hundred updates a second stays as it is", async ({ page }) => {
  test.setTimeout((MINUTES + 15) * 60_000);
  await signIn(page, undefined, "/accounts/company");
  await showAll(page);
  const client = await page.context().newCDPSession(page);
  await watchInput(page);
  const updates = spawn(process.env.AETHER_PYTHON ?? "python", ["-m", "tests.browser.updates", process.env.AETHER_DATABASE ?? "", "company", String(RATE)], { cwd: "..", stdio: ["pipe", "pipe", "inherit"] });
  const samples: Sample[] = [];
  const typed = { keys: 0, presses: 0 };
  const begun = Date.now();
  let sampled = 0;
  while (Date.now() - begun < MINUTES * 60_000) {
    await typeReason(page, typed);
    await press(page, typed);
    if (Date.now() - sampled < SAMPLE_MS) continue;
    sampled = Date.now();
    samples.push(await sample(client, (sampled - begun) / 60_000));
  }
  const done = await stopped(updates);
  const shown = await finallyShown(page, done);
  const slow = await page.evaluate(() => (globalThis as unknown as { inputs: number[] }).inputs.toSorted((a, b) => a - b));
  const heap = grown(samples.map((one) => one.heap_mb));
  const nodes = grown(samples.map((one) => one.nodes));
  const result = {
    at: new Date().toISOString(), minutes: MINUTES, trades: done.trades, asked_per_second: RATE, updates: done.updates, per_second: done.updates / done.seconds, latest_update_s: done.late,
    shown_after_s: shown, typed, input_ms: { p50: slow[Math.floor(slow.length * 0.5)], p95: slow[Math.floor(slow.length * 0.95)], most: slow.at(-1) },
    heap_mb: heap, nodes, load: readFileSync("/proc/loadavg", "utf8").trim(), samples,
  };
  writeFileSync(`${SHOTS}/soak.json`, `${JSON.stringify(result, null, 2)}\n`);
  console.log(JSON.stringify({ ...result, samples: samples.length }));
  expect(samples.length, "looks at the memory").toBeGreaterThan(5);
  expect(heap.last, `the heap of the page, in MB: ${JSON.stringify(heap)}`).toBeLessThanOrEqual(heap.first * (1 + GROWTH_SHARE));
  expect(nodes.last, `nodes of the page: ${JSON.stringify(nodes)}`).toBeLessThanOrEqual(nodes.first * (1 + GROWTH_SHARE));
});

/** Have every trade read and shown. */
async function showAll(page: Page): Promise<void> {
  const table = page.getByRole("region", { name: "Trades", exact: true });
  const more = page.getByRole("button", { name: /^(Show more|Read older trades)/ });
  await settled(page);
  for (;;) {
    const rows = await table.getByRole("row").count();
    if (rows > TRADES) break;
    await more.last().click();
    await expect.poll(() => table.getByRole("row").count()).toBeGreaterThanOrEqual(rows);
  }
  // The pointer would hold the rows still.
  await page.mouse.move(5, 400);
}

/** Note how long each key took from being pressed to the next picture. */
async function watchInput(page: Page): Promise<void> {
  await page.evaluate(() => {
    const inputs: number[] = [];
    (globalThis as unknown as { inputs: number[] }).inputs = inputs;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === "keydown" && inputs.length < 200_000) inputs.push(entry.duration);
    }).observe({ type: "event", durationThreshold: 16, buffered: true } as PerformanceObserverInit);
  });
}

/** Type into a form over the page: every key arrives, in order. */
async function typeReason(page: Page, typed: { keys: number }): Promise<void> {
  await page.getByRole("button", { name: "Kill switch" }).click();
  const field = page.getByRole("dialog").getByLabel("Reason");
  await field.fill("");
  const words = `odd prices, look ${typed.keys} at them`;
  await field.focus();
  for (const key of words) await page.keyboard.type(key);
  await expect(field).toHaveValue(words);
  typed.keys += words.length;
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
}

/** Press what answers each press: none is lost. */
async function press(page: Page, typed: { presses: number }): Promise<void> {
  const button = page.getByRole("button", { name: /^(Hide|Show) amounts$/ });
  for (const name of ["Show amounts", "Hide amounts"]) {
    await button.click();
    await expect(button).toHaveText(name);
    typed.presses += 1;
  }
}

async function sample(client: CDPSession, minute: number): Promise<Sample> {
  await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = await client.send("Runtime.getHeapUsage");
  const counters = await client.send("Memory.getDOMCounters");
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${process.env.AETHER_API_PROCESS}/status`, "utf8"))?.[1];
  return { minute, heap_mb: usedSize / 1e6, nodes: counters.nodes, listeners: counters.jsEventListeners, api_mb: Number(resident) / 1000 };
}

/** The median of the first third, once the page has warmed up, and of the last. */
function grown(values: readonly number[]) {
  const warm = values.slice(Math.min(3, Math.floor(values.length / 6)));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const median = (part: readonly number[]) => [...part].sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? Number.NaN;
  return { first: median(warm.slice(0, third)), last: median(warm.slice(-third)), most: Math.max(...values) };
}

async function stopped(updates: ChildProcess): Promise<Done> {
  let printed = "";
  updates.stdout?.on("data", (part) => (printed += String(part)));
  const ended = new Promise((resolve) => updates.once("close", resolve));
  updates.stdin?.end();
  await ended;
  return JSON.parse(printed) as Done;
}

/** Wait until each trade shows its last update, and return how many seconds that took. */
async function finallyShown(page: Page, done: Done): Promise<number> {
  const begun = Date.now();
  const missing = () =>
    page.evaluate(({ updates, trades }) => {
      const wrong: string[] = [];
      for (const row of document.querySelectorAll("tr")) {
        const number = Number(/trades\/(\d+)$/.exec(row.querySelector("a")?.getAttribute("href") ?? "")?.[1]);
        const cell = row.querySelector('td[data-label="Fees USD"] data');
        if (!number || !cell || number > trades || updates < number) continue;
        const last = number - 1 + trades * Math.floor((updates - number) / trades);
        if (Number(cell.getAttribute("value")) !== last) wrong.push(`${number}: ${cell.getAttribute("value")} for ${last}`);
      }
      return wrong.slice(0, 5);
    }, done);
  await expect.poll(missing, { message: "every trade shows its last update", timeout: 120_000 }).toEqual([]);
  return (Date.now() - begun) / 1000;
}
