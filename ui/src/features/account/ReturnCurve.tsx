import { AreaSeries, createChart, type IChartApi, LineSeries, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";

import type { components } from "@/api/schema";
import { usePresenter } from "@/app/presenter";
import { chartLook } from "@/components/chartLook";
import { Figure } from "@/components/Figure";
import { useLook } from "@/components/useLook";
import { Moment } from "@/components/Moment";
import { forDrawing } from "@/format/decimal";

type ValuePoint = components["schemas"]["ValuePoint"];

export interface ReturnCurveProps {
  readonly points: readonly ValuePoint[];
  readonly returnShare: string;
  readonly since: string;
}

/** Value over market time, and how far below its best it was; flows of capital are taken out. */
/** Two decimals: a day's return is a part of a percent. */
const PERCENT = { type: "custom" as const, minMove: 0.01, formatter: (value: number) => `${value.toFixed(2).replace("-", "\u2212")} %` };

export default function ReturnCurve({ points, returnShare, since }: ReturnCurveProps) {
  const place = useRef<HTMLDivElement>(null);
  const presenting = usePresenter();
  const look = useLook();
  useEffect(() => {
    if (!place.current || points.length < 2) return;
    const chart: IChartApi = createChart(place.current, chartLook(240));
    const { curve, drawdown } = drawn(points);
    const line = chart.addSeries(LineSeries, { color: tone("--accent"), lineWidth: 2, priceFormat: PERCENT });
    line.setData(curve);
    const below = chart.addSeries(AreaSeries, { lineColor: tone("--alarm"), topColor: tone("--alarm-soft"), bottomColor: tone("--alarm-soft"), lineWidth: 1, priceFormat: PERCENT }, 1);
    below.setData(drawdown);
    chart.panes()[1]?.setStretchFactor(0.4);
    chart.timeScale().fitContent();
    return () => chart.remove();
  }, [points, presenting, look]);
  if (points.length < 2) return <p className="panel-note">Too few measurements to draw a curve yet.</p>;
  return (
    <figure>
      <figcaption>
        Return <Figure value={returnShare} kind="share" signed /> since <Moment at={since} market />
        <small> (above: return in %; below: drawdown in %)</small>
      </figcaption>
      <div ref={place} className="chart" role="img" aria-label="Curve of the return and of the drawdown over market time" />
    </figure>
  );
}

function tone(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Positions on the chart only: no figure that is shown as text comes from here. */
export function drawn(points: readonly ValuePoint[]) {
  let growth = 1;
  let best = 1;
  let last: number | undefined;
  const curve: { time: UTCTimestamp; value: number }[] = [];
  const drawdown: { time: UTCTimestamp; value: number }[] = [];
  for (const point of points) {
    const value = forDrawing(point.value);
    const before = value - forDrawing(point.flow);
    if (last !== undefined && last > 0) growth *= before / last;
    last = value;
    best = Math.max(best, growth);
    const time = Math.floor(Date.parse(point.at) / 1000) as UTCTimestamp;
    if (curve.at(-1)?.time === time) {
      curve.pop();
      drawdown.pop();
    }
    curve.push({ time, value: (growth - 1) * 100 });
    drawdown.push({ time, value: (growth / best - 1) * 100 });
  }
  return { curve, drawdown };
}
