import { readdirSync } from "node:fs";

import { act, render } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it } from "vitest";

import { Around } from "./around";
import { REGISTRY } from "./registry";
import { STORIES } from "./stories";

// jsdom lays nothing out: contrast is looked at in the browser, and a part of a page is no page.
const RULES = { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } };
/** Shown by others, or nothing but a hook or a look of charts. */
const WITHOUT_STORY = ["Dialog", "chartLook", "useLook"];

describe("the gallery of components", () => {
  for (const story of STORIES) {
    for (const [state, shown] of Object.entries(story.states)) {
      it(`shows ${story.component}, ${state}, as everybody can use it`, async () => {
        const { container } = render(<Around>{shown}</Around>);
        await act(async () => undefined);
        expect(container.innerHTML).not.toBe("");
        const found = await axe.run(document.body, RULES);
        expect(found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
      });
    }
  }

  it("has every shared component", () => {
    const names = readdirSync("src/components").filter((file) => /\.tsx?$/.test(file) && !file.includes(".test.")).map((file) => file.replace(/\.tsx?$/, ""));
    const shown = new Set(STORIES.map((story) => story.component));
    expect(names.filter((name) => !shown.has(name) && !WITHOUT_STORY.includes(name))).toEqual([]);
  });

  it("registers modules that are there, under the names that they export", async () => {
    const modules = import.meta.glob<Record<string, unknown>>(["../src/components/*.tsx", "../src/app/*.tsx"]);
    for (const one of REGISTRY) {
      const found = (await modules[`../src/${one.module.replace("@/", "")}.tsx`]?.()) ?? {};
      expect(typeof found[one.name], one.name).toBe("function");
    }
  });
});
