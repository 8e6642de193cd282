import { describe, expect, it } from "vitest";

import { asTyped, fromTyped, isDangerous, rangeText, type SettingSchema } from "./schema";

const share: SettingSchema = { type: "string", format: "decimal", description: "", default: "0.005", "x-unit": "share", "x-dangerous": "raising", "x-minimum": "0", "x-maximum": "0.1" };

describe("forms are generated from the one definition", () => {
  it("hold a value to its type and range, as decimal text", () => {
    expect(fromTyped(share, "0.0040")).toEqual({ value: "0.0040" });
    expect(fromTyped(share, "0.2")).toEqual({ error: "From 0 to 0.1" });
    expect(fromTyped(share, "0,004")).toHaveProperty("error");
    expect(fromTyped({ ...share, type: "integer", minimum: 1, maximum: 8 }, "9")).toHaveProperty("error");
    expect(rangeText(share)).toBe("0 to 0.1");
  });
  it("read lists, choices and shares by name", () => {
    const plain = { ...share, "x-minimum": undefined, "x-maximum": undefined, format: undefined } as unknown as SettingSchema;
    expect(fromTyped({ ...plain, type: "array" }, "DAI, USDC")).toEqual({ value: ["DAI", "USDC"] });
    expect(fromTyped({ ...plain, type: "object" }, "trend=0.5")).toEqual({ value: { trend: "0.5" } });
    expect(fromTyped({ ...plain, type: "object" }, "trend")).toHaveProperty("error");
    expect(fromTyped({ ...plain, enum: ["off", "automatic"] }, "on")).toHaveProperty("error");
    expect(asTyped({ trend: "0.5" })).toBe("trend=0.5");
  });
  it("know which change lets more be lost", () => {
    expect(isDangerous(share, "0.005", "0.006")).toBe(true);
    expect(isDangerous(share, "0.005", "0.004")).toBe(false);
    expect(isDangerous({ ...share, "x-dangerous": "any" }, "UTC", "Europe/Berlin")).toBe(true);
  });
});
