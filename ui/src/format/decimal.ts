/**
 * Money is decimal text from the record to the screen: no figure passes through a binary number.
 *
 * A decimal is parsed into an integer and a scale; what is shown is rounded half to even, once.
 */

export interface Decimal {
  /** The digits as one integer: value = units / 10^scale. */
  readonly units: bigint;
  readonly scale: number;
}

const TEXT = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Read decimal text; undefined for anything that is no number. */
export function parse(text: string): Decimal | undefined {
  const found = TEXT.exec(text.trim());
  if (!found) return undefined;
  const [, sign = "", whole = "0", fraction = "", power = "0"] = found;
  const units = BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction}`);
  const scale = fraction.length - Number(power);
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 };
}

/** Return the value with exactly this many decimals, rounded half to even. */
export function rounded(value: Decimal, decimals: number): Decimal {
  if (value.scale <= decimals) {
    return { units: value.units * 10n ** BigInt(decimals - value.scale), scale: decimals };
  }
  const divisor = 10n ** BigInt(value.scale - decimals);
  const magnitude = value.units < 0n ? -value.units : value.units;
  const quotient = magnitude / divisor;
  const twice = (magnitude % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  const result = quotient + (up ? 1n : 0n);
  return { units: value.units < 0n ? -result : result, scale: decimals };
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale), scale];
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [left, right, scale] = aligned(a, b);
  return { units: left + right, scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, { units: -b.units, scale: b.scale });
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

/** Return a / b with this many decimals; undefined where b is zero. */
export function divide(a: Decimal, b: Decimal, decimals = 12): Decimal | undefined {
  if (b.units === 0n) return undefined;
  const units = (a.units * 10n ** BigInt(decimals + 1 + b.scale)) / b.units;
  return rounded({ units, scale: decimals + 1 + a.scale }, decimals);
}

export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

export function sign(value: Decimal): -1 | 0 | 1 {
  return value.units < 0n ? -1 : value.units > 0n ? 1 : 0;
}

/** Write the value out: plain digits, no exponent. */
export function toText(value: Decimal): string {
  const negative = value.units < 0n;
  const digits = (negative ? -value.units : value.units).toString().padStart(value.scale + 1, "0");
  const whole = digits.slice(0, digits.length - value.scale);
  const fraction = value.scale > 0 ? `.${digits.slice(digits.length - value.scale)}` : "";
  return `${negative ? "-" : ""}${whole}${fraction}`;
}

/** A number for drawing only: positions on a chart, widths of bars. Never for a figure shown. */
export function forDrawing(text: string): number {
  return Number(text);
}

const MINUS = "\u2212";
const THIN = "\u202f";

function grouped(value: Decimal): string {
  const [whole = "0", fraction] = toText({ ...value, units: value.units < 0n ? -value.units : value.units }).split(".");
  const groups = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

export interface Shape {
  /** Decimals shown; without it as many as the text has, without trailing zeros. */
  readonly decimals?: number;
  /** Put a plus before what is above zero. */
  readonly signed?: boolean;
  readonly unit?: string;
}

function trimmed(value: Decimal): Decimal {
  let { units, scale } = value;
  while (scale > 0 && units % 10n === 0n) {
    units /= 10n;
    scale -= 1;
  }
  return { units, scale };
}

/** Decimals shown where none are asked for: more than any pair trades in. */
const MOST_DECIMALS = 8;

/** As many decimals as there are, but not the tail of a division; what is tiny keeps its digits. */
function readable(value: Decimal): Decimal {
  const exact = trimmed(value);
  if (exact.scale <= MOST_DECIMALS) return exact;
  const short = trimmed(rounded(exact, MOST_DECIMALS));
  return short.units === 0n ? exact : short;
}

/** Format decimal text for people; undefined for what is no number. */
export function formatDecimal(text: string, shape: Shape = {}): string | undefined {
  const parsed = parse(text);
  if (!parsed) return undefined;
  const value = shape.decimals === undefined ? readable(parsed) : rounded(parsed, shape.decimals);
  const direction = sign(value);
  const prefix = direction < 0 ? MINUS : shape.signed && direction > 0 ? "+" : "";
  const unit = shape.unit ? `${shape.unit === "%" ? "" : THIN}${shape.unit}` : "";
  return `${prefix}${grouped(value)}${unit}`;
}

/** Format a share (0.05) as percent (5.00 %). */
export function formatShare(text: string, shape: Omit<Shape, "unit"> = {}): string | undefined {
  const parsed = parse(text);
  if (!parsed) return undefined;
  const percent = multiply(parsed, { units: 100n, scale: 0 });
  const shown = formatDecimal(toText(percent), { decimals: 2, ...shape });
  return shown === undefined ? undefined : `${shown}${THIN}%`;
}

/** Read what a person typed: a decimal comma or grouping is refused, not guessed. */
export function typedDecimal(text: string): Decimal | undefined {
  return /^\d{1,18}(\.\d{1,12})?$/.test(text.trim()) ? parse(text) : undefined;
}
