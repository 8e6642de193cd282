import { formatDecimal, formatShare, parse, type Shape, sign } from "@/format/decimal";
import { usePresenter } from "@/app/presenter";
import { useNow } from "@/live/now";

import { tooOldText, useTooOld } from "./Aging";

export interface FigureProps {
  /** Decimal text as the API gave it; null or undefined where it is not known. */
  readonly value: string | null | undefined;
  readonly kind?: "money" | "share" | "quantity" | "price" | "number";
  readonly unit?: string;
  readonly decimals?: number;
  /** A change or a profit: sign and direction are shown by glyph as well as by colour. */
  readonly signed?: boolean;
  /** Why the figure is not known: shown where it would stand. */
  readonly unknown?: string | null | undefined;
  /** When it was so, where it is not as old as what it was read with. */
  readonly asOf?: string | number | null | undefined;
  /** How old it may be, in seconds; an older one is struck out and its age is shown. */
  readonly budgetSeconds?: number | undefined;
  /** Why it cannot be believed whatever its age, for example stale prices. */
  readonly stale?: string | null | undefined;
}

const HIDDEN = "•••";
const GLYPH = { "-1": "▼", "0": "", "1": "▲" } as const;

/** One figure: tabular, with its age where it is too old and its reason where it is unknown. */
export function Figure({
  value, kind = "number", unit, decimals, signed = false, unknown, asOf, budgetSeconds, stale,
}: FigureProps) {
  const presenting = usePresenter();
  const dated = asOf !== undefined && asOf !== null && budgetSeconds !== undefined;
  const now = useNow(dated);
  const around = useTooOld();
  const parsed = value === null || value === undefined ? undefined : parse(value);
  if (value === null || value === undefined || !parsed) {
    const reason = unknown ?? "not known";
    return (
      <span className="figure figure-unknown">
        <span aria-hidden="true">–</span> <small className="reason">{reason}</small>
      </span>
    );
  }
  const tooOld = dated ? tooOldText(now - new Date(asOf).getTime(), budgetSeconds) : around;
  const shape: Shape = { signed, ...(decimals === undefined ? {} : { decimals }), ...(unit ? { unit } : {}) };
  const text = presenting && (kind === "money" || kind === "quantity") ? HIDDEN : shown(value, kind, shape);
  const direction = signed ? directionOf(value, kind, shape) : 0;
  const tone = direction > 0 ? " figure-up" : direction < 0 ? " figure-down" : "";
  const body = (
    <>
      {signed && direction !== 0 ? (
        <span className="glyph" aria-hidden="true">
          {GLYPH[`${direction}`]}
        </span>
      ) : null}
      <data value={text === HIDDEN ? "" : value}>{text}</data>
    </>
  );
  const why = stale ? stale : tooOld;
  if (!why) return <span className={`figure${tone}`}>{body}</span>;
  return (
    <span className="figure figure-stale">
      <s>{body}</s> <small className="reason">{why}</small>
    </span>
  );
}

/** Up or down as far as it is shown: what rounds to nothing has no direction. */
function directionOf(value: string, kind: FigureProps["kind"], shape: Shape): -1 | 0 | 1 {
  const text = shown(value, kind, { ...shape, unit: "" }).replace(/[^\d.\u2212]/g, "").replace("\u2212", "-");
  const parsed = parse(text);
  return parsed ? sign(parsed) : 0;
}

function shown(value: string, kind: FigureProps["kind"], shape: Shape): string {
  const fallback = "–";
  if (kind === "share") return formatShare(value, shape) ?? fallback;
  if (kind === "money") return formatDecimal(value, { decimals: 2, ...shape }) ?? fallback;
  return formatDecimal(value, shape) ?? fallback;
}
