import { createChart, LineSeries, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";

import { usePresenter } from "@/app/presenter";
import { chartLook } from "@/components/chartLook";
import { useLook } from "@/components/useLook";
import { forDrawing } from "@/format/decimal";

import type { BacktestResult } from "./queries";

export interface BacktestCurveProps {
  readonly points: BacktestResult["curve"];
  readonly label: string;
}

/** Growth of the strategy and of holding the same pairs, in percent of what each began with. */
export default function BacktestCurve({ points, label }: BacktestCurveProps) {
  const place = useRef<HTMLDivElement>(null);
  const presenting = usePresenter();
  const look = useLook();
  useEffect(() => {
    if (!place.current || points.length < 2) return;
    const chart = createChart(place.current, chartLook(260));
    const style = getComputedStyle(document.documentElement);
    const tone = (name: string) => style.getPropertyValue(name).trim();
    const options = { priceFormat: { type: "percent" }, lineWidth: 2 } as const;
    chart.addSeries(LineSeries, { ...options, color: tone("--line-strong"), lineStyle: 2, title: "holding" }).setData(growth(points, "holding"));
    chart.addSeries(LineSeries, { ...options, color: tone("--accent"), title: "strategy" }).setData(growth(points, "equity"));
    chart.timeScale().fitContent();
    return () => chart.remove();
  }, [points, presenting, look]);
  if (points.length < 2) return <p className="panel-note">Too few bars to draw a curve.</p>;
  return (
    <figure>
      <figcaption>Growth in % <small>(line: strategy; dashed: holding the same pairs)</small></figcaption>
      <div ref={place} className="chart" role="img" aria-label={`Growth of ${label} beside holding`} />
    </figure>
  );
}

/** Places on the chart only; what is not known is left out, not drawn as zero. */
export function growth(points: BacktestResult["curve"], name: "equity" | "holding"): { time: UTCTimestamp; value: number }[] {
  const found: { time: UTCTimestamp; value: number }[] = [];
  let first: number | undefined;
  for (const point of points) {
    const text = point[name];
    if (text === null) continue;
    const value = forDrawing(text);
    first ??= value;
    const time = Math.floor(Date.parse(point.at) / 1000) as UTCTimestamp;
    if (first > 0 && (found.at(-1)?.time ?? 0) < time) found.push({ time, value: (value / first - 1) * 100 });
  }
  return found;
}
