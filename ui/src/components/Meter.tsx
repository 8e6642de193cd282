import { compare, divide, forDrawing, parse, toText } from "@/format/decimal";

import { Figure } from "./Figure";

export interface MeterProps {
  readonly label: string;
  /** Shares (0.05 is five percent). */
  readonly value: string | null;
  readonly limit: string;
  readonly unknown?: string | null | undefined;
  readonly stale?: string | null | undefined;
}

/** A figure beside the limit it is held to, with how near it is. */
export function Meter({ label, value, limit, unknown, stale }: MeterProps) {
  const parsed = value === null ? undefined : parse(value);
  const bound = parse(limit);
  const used = parsed && bound ? divide(parsed, bound, 4) : undefined;
  const width = used ? Math.min(100, Math.max(0, forDrawing(toText(used)) * 100)) : 0;
  const level = parsed && bound && compare(parsed, bound) >= 0 ? "over" : width >= 75 ? "near" : "within";
  const words = { over: "limit reached", near: "near the limit", within: "" }[level];
  return (
    <div className={`meter meter-${level}`}>
      <span className="meter-label">{label}</span>
      <span className="meter-figures">
        <Figure value={value} kind="share" unknown={unknown} stale={stale} />
        <span className="meter-limit">
          {parsed ? " of " : <>; <wbr />limit </>}
          <Figure value={limit} kind="share" />
        </span>
        {words ? <strong className="meter-words">{words}</strong> : null}
      </span>
      <svg className="meter-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect className="meter-track" width="100" height="4" />
        <rect className="meter-fill" width={width} height="4" />
      </svg>
    </div>
  );
}
