import type { components } from "@/api/schema";

export type Levels = components["schemas"]["Levels"];

/** One move of stop or target: from what to what. */
export interface Move {
  readonly at: string;
  readonly marketTime: string | null;
  readonly what: "stop" | "target";
  /** Null: there was no target. */
  readonly from: string | null;
  readonly to: string | null;
}

/** What was moved when, the oldest first; where they stood at first is no move. */
export function movesOf(levels: readonly Levels[]): Move[] {
  return levels.flatMap((now, place) => {
    const before = levels[place - 1];
    if (!before) return [];
    const moves: Move[] = [];
    const add = (what: Move["what"], from: string | null, to: string | null) => {
      if (from !== to) moves.push({ at: now.at, marketTime: now.market_time, what, from, to });
    };
    add("stop", before.stop_price, now.stop_price);
    add("target", before.take_profit_price, now.take_profit_price);
    return moves;
  });
}

export interface PathPoint {
  readonly time: number;
  /** Null: there was none from here on. */
  readonly price: string | null;
}

/**
 * The way of stop or target over the bars up to `end`; empty where it never moved, for then the line in
 * force says it all. A level whose market time is not known is not drawn: nobody knows where. Of several
 * moves within a bar the last one counts.
 */
export function pathOf(levels: readonly Levels[], name: "stop_price" | "take_profit_price", barOf: (at: string) => number, end: number): PathPoint[] {
  const known = levels.filter((one) => one.market_time !== null);
  if (new Set(known.map((one) => one[name])).size < 2) return [];
  const points: PathPoint[] = [];
  for (const one of known) {
    const time = barOf(one.market_time ?? "");
    if (points.at(-1)?.time === time) points.pop();
    points.push({ time, price: one[name] });
  }
  const last = points.at(-1);
  if (last && last.time < end) points.push({ time: end, price: last.price });
  return points;
}
