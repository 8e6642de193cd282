import { defineConfig, devices } from "@playwright/test";

/** Against a whole running stack, whose address and tokens come from `python -m tests.browser`. */
export default defineConfig({
  testDir: "tests",
  outputDir: "../build/browser/results",
  timeout: 600_000,
  expect: { timeout: 90_000 },
  workers: 1,
  retries: 0,
  reporter: [["list"]],
  use: {
    baseURL: process.env.AETHER_URL ?? "http://127.0.0.1:7400",
    launchOptions: {
      executablePath: process.env.AETHER_CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu"],
    },
    screenshot: "only-on-failure",
    timezoneId: "Europe/Berlin",
  },
  projects: [{ name: "chromium", use: { ...devices["Desktop Chrome"], viewport: { width: 1360, height: 860 } } }],
});
