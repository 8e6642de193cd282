import { describe, expect, it } from "vitest";

import { ageText, clockText, dayBeginning, momentText, offsetText } from "./time";

const at = (text: string) => new Date(text);

describe("times carry their zone, over daylight saving too", () => {
  it("writes UTC and a zone's own time", () => {
    expect(momentText(at("2026-11-28T21:05:09Z"), "UTC")).toBe("2026-11-28 21:05:09 UTC");
    expect(momentText(at("2026-07-01T21:05:09Z"), "America/New_York")).toBe("2026-07-01 17:05:09 UTC\u221204:00");
    expect(offsetText(at("2026-01-01T00:00:00Z"), "Asia/Kathmandu")).toBe("UTC+05:45");
  });
  it("shows the hour that a clock shows twice with its two offsets", () => {
    expect(momentText(at("2026-10-25T00:30:00Z"), "Europe/Berlin")).toBe("2026-10-25 02:30:00 UTC+02:00");
    expect(momentText(at("2026-10-25T01:30:00Z"), "Europe/Berlin")).toBe("2026-10-25 02:30:00 UTC+01:00");
  });
  it("finds the account's day where no clock moves", () => {
    expect(dayBeginning(at("2026-05-05T12:00:00Z"), "UTC", "00:00").toISOString()).toBe("2026-05-05T00:00:00.000Z");
    expect(dayBeginning(at("2026-05-05T05:59:59Z"), "Europe/Berlin", "08:00").toISOString()).toBe("2026-05-04T06:00:00.000Z");
  });
  it("begins a day after the gap when the clock skips its beginning", () => {
    // 2026-03-29 02:30 does not exist in Berlin: the clock goes from 02:00 to 03:00 at 01:00 UTC.
    expect(dayBeginning(at("2026-03-29T12:00:00Z"), "Europe/Berlin", "02:30").toISOString()).toBe("2026-03-29T01:00:00.000Z");
  });
  it("begins a day at the first of two when the clock shows its beginning twice", () => {
    expect(dayBeginning(at("2026-10-25T12:00:00Z"), "Europe/Berlin", "02:30").toISOString()).toBe("2026-10-25T00:30:00.000Z");
  });
  it("says ages shortly", () => {
    expect([4_000, 180_000, 7_500_000, 200_000_000].map(ageText)).toEqual(["4 s", "3 min", "2 h 5 min", "2 d 7 h"]);
    expect(clockText(at("2026-01-01T00:00:00Z"), "UTC", false)).toBe("00:00");
  });
});
