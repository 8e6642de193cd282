import { describe, expect, it } from "vitest";

import { compare, divide, formatDecimal, formatShare, parse, toText, typedDecimal } from "./decimal";

const decimal = (text: string) => parse(text) ?? { units: 0n, scale: 0 };

describe("money is decimal text end to end", () => {
  it("keeps every digit that no binary number could hold", () => {
    expect(formatDecimal("123456789012345678.12345678")).toBe("123,456,789,012,345,678.12345678");
    expect(formatDecimal("0.1673890695804189538653065322")).toBe("0.16738907");
    expect(formatDecimal("0.000000001")).toBe("0.000000001");
    expect(toText(decimal("0.1000000000000000055511151231257827"))).toBe("0.1000000000000000055511151231257827");
  });
  it("rounds half to even, once", () => {
    expect(formatDecimal("0.125", { decimals: 2 })).toBe("0.12");
    expect(formatDecimal("0.135", { decimals: 2 })).toBe("0.14");
    expect(formatDecimal("-2.5", { decimals: 0 })).toBe("\u22122");
    expect(formatDecimal("-0.001", { decimals: 2 })).toBe("0.00");
  });
  it("shows sign and unit", () => {
    expect(formatDecimal("1234.5", { decimals: 2, signed: true, unit: "USD" })).toBe("+1,234.50\u202fUSD");
    expect(formatShare("-0.0123", { signed: true })).toBe("\u22121.23\u202f%");
  });
  it("reads exponents and refuses what is no number", () => {
    expect(toText(decimal("1E-8"))).toBe("0.00000001");
    expect(toText(decimal("2e3"))).toBe("2000");
    for (const text of ["", "NaN", "Infinity", "1,5", "0x10", "--1"]) expect(parse(text)).toBeUndefined();
  });
  it("compares and divides exactly", () => {
    expect(compare(decimal("0.10"), decimal("0.1"))).toBe(0);
    expect(compare(decimal("-1"), decimal("0.0000001"))).toBe(-1);
    expect(toText(divide(decimal("1"), decimal("3"), 6) ?? decimal("0"))).toBe("0.333333");
    expect(divide(decimal("1"), decimal("0"))).toBeUndefined();
  });
  it("guesses nothing of what is typed", () => {
    expect(typedDecimal("1,000")).toBeUndefined();
    expect(typedDecimal("1.000,5")).toBeUndefined();
    expect(typedDecimal("-1")).toBeUndefined();
    expect(toText(typedDecimal(" 12.50 ") ?? decimal("0"))).toBe("12.50");
  });
});
