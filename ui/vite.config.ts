import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Lay a compressed copy beside every text file, so that the API compresses nothing itself. */
function compressed(): Plugin {
  return {
    name: "aether-compressed",
    apply: "build",
    // Once everything is written: before that other plugins still change the files.
    writeBundle({ dir }) {
      if (!dir) return;
      for (const name of readdirSync(join(dir, "assets"))) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const file = join(dir, "assets", name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["./src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}", "builder/**/*.test.tsx"],
    css: false,
    // Against tests that hang: how fast a machine is, is no property of a page.
    testTimeout: 60_000,
  },
});
