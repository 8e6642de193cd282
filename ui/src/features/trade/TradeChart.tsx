import {
  CandlestickSeries, createChart, createSeriesMarkers, type IPriceLine, type ISeriesApi, LineSeries, LineStyle, LineType,
  type SeriesMarker, type Time, type UTCTimestamp,
} from "lightweight-charts";
import { useEffect, useRef } from "react";

import type { components } from "@/api/schema";
import { chartLook } from "@/components/chartLook";
import { useLook } from "@/components/useLook";
import { forDrawing } from "@/format/decimal";

import { movesOf, pathOf, type Levels } from "./levels";

type Candle = components["schemas"]["Candle"];
type Execution = components["schemas"]["Execution"];

export interface TradeChartProps {
  readonly candles: readonly Candle[];
  readonly executions: readonly Execution[];
  readonly entry: string | null;
  readonly stop: string;
  readonly target: string | null;
  /** Where stop and target have stood, the oldest first. */
  readonly levels: readonly Levels[];
  /** The stop as it stands in the form beside; drawn apart from the one in force. */
  readonly wanted?: string | undefined;
  /** The stop was dragged to a price; nothing is changed before it is confirmed in the form. */
  readonly onStopDragged?: ((price: string) => void) | undefined;
}

const GRAB_PIXELS = 8;

/** Bars around a trade with its entry, stop and target; the stop can be dragged. */
export default function TradeChart({ candles, executions, entry, stop, target, levels, wanted, onStopDragged }: TradeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const dragged = useRef(onStopDragged);
  dragged.current = onStopDragged;
  const movable = onStopDragged !== undefined;
  const look = useLook();
  useEffect(() => {
    const element = place.current;
    if (!element || candles.length === 0) return;
    const tone = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const chart = createChart(element, chartLook(340));
    const last = candles.at(-1);
    const precision = Math.min(8, Math.max(2, (last?.close.split(".")[1] ?? "").length));
    const bars = chart.addSeries(CandlestickSeries, {
      upColor: tone("--good"), downColor: tone("--alarm"), borderVisible: false, wickUpColor: tone("--good"), wickDownColor: tone("--alarm"),
      priceFormat: { type: "price", precision, minMove: 10 ** -precision },
      autoscaleInfoProvider: (original: () => { priceRange: { minValue: number; maxValue: number } | null } | null) => {
        const found = original();
        if (!found?.priceRange) return found;
        const prices = [stop, target, entry, ...levels.flatMap((one) => [one.stop_price, one.take_profit_price])].filter((level): level is string => level !== null).map(forDrawing);
        return { priceRange: { minValue: Math.min(found.priceRange.minValue, ...prices), maxValue: Math.max(found.priceRange.maxValue, ...prices) } };
      },
    });
    bars.setData(candles.map((bar) => ({
      time: (Date.parse(bar.start) / 1000) as UTCTimestamp,
      open: forDrawing(bar.open), high: forDrawing(bar.high), low: forDrawing(bar.low), close: forDrawing(bar.close),
    })));
    const line = (price: string, title: string, color: string, style = LineStyle.Solid): IPriceLine =>
      bars.createPriceLine({ price: forDrawing(price), title, color, lineWidth: 2, lineStyle: style, axisLabelVisible: true });
    // Where they stood before: steps, thinner than the lines in force.
    for (const [name, color, style] of [["stop_price", "--alarm", LineStyle.Solid], ["take_profit_price", "--good", LineStyle.Dashed]] as const) {
      const path = pathOf(levels, name, (at) => barOf(candles, at), barOf(candles, last?.start ?? ""));
      if (path.length < 2) continue;
      chart.addSeries(LineSeries, {
        color: tone(color), lineWidth: 1, lineStyle: style, lineType: LineType.WithSteps, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false,
        autoscaleInfoProvider: () => null,
      }).setData(path.map(({ time, price }) => (price === null ? { time: time as UTCTimestamp } : { time: time as UTCTimestamp, value: forDrawing(price) })));
    }
    if (entry) line(entry, "entry", tone("--accent"));
    if (target) line(target, "target", tone("--good"), LineStyle.Dashed);
    line(stop, "stop", tone("--alarm"));
    if (wanted && wanted !== stop) line(wanted, "new stop?", tone("--warn"), LineStyle.Dotted);
    createSeriesMarkers(bars, executions.map((one): SeriesMarker<Time> => ({
      time: barOf(candles, one.exchange_time),
      position: one.side === "buy" ? "belowBar" : "aboveBar",
      shape: one.side === "buy" ? "arrowUp" : "arrowDown",
      color: tone(one.side === "buy" ? "--accent" : "--warn"),
      text: one.side,
    })));
    chart.timeScale().fitContent();
    const release = movable ? draggable(element, bars, forDrawing(stop), precision, (price) => dragged.current?.(price), (on) => chart.applyOptions({ handleScroll: on })) : undefined;
    return () => {
      release?.();
      chart.remove();
    };
  }, [candles, executions, entry, stop, target, levels, wanted, movable, look]);
  if (candles.length === 0) return <p className="panel-note">No bars are kept for this pair yet.</p>;
  return <div ref={place} className="chart" role="img" aria-label={`Price bars with entry ${entry ?? "not filled"}, stop ${stop}, target ${target ?? "none"}, ${movesOf(levels).length} moves of them`} />;
}

function barOf(candles: readonly Candle[], at: string): UTCTimestamp {
  const moment = Date.parse(at);
  const found = candles.findLast((bar) => Date.parse(bar.start) <= moment) ?? candles[0];
  return (Date.parse(found?.start ?? at) / 1000) as UTCTimestamp;
}

/** Let the stop's line be taken by the pointer; what it is let go at is only a wish. */
function draggable(
  element: HTMLElement, bars: ISeriesApi<"Candlestick">, stop: number, precision: number,
  onDropped: (price: string) => void, scrolling: (on: boolean) => void,
): () => void {
  let ghost: IPriceLine | undefined;
  const heightOf = (event: PointerEvent) => event.clientY - element.getBoundingClientRect().top;
  const down = (event: PointerEvent) => {
    const at = bars.priceToCoordinate(stop);
    if (at === null || Math.abs(heightOf(event) - at) > GRAB_PIXELS) return;
    event.preventDefault();
    scrolling(false);
    ghost = bars.createPriceLine({ price: stop, title: "new stop?", color: getComputedStyle(document.documentElement).getPropertyValue("--warn").trim(), lineWidth: 2, lineStyle: LineStyle.Dotted });
    element.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent) => {
    const price = ghost ? bars.coordinateToPrice(heightOf(event)) : null;
    if (price !== null) ghost?.applyOptions({ price });
  };
  const up = (event: PointerEvent) => {
    if (!ghost) return;
    const price = bars.coordinateToPrice(heightOf(event));
    bars.removePriceLine(ghost);
    ghost = undefined;
    scrolling(true);
    if (price !== null && price > 0) onDropped(price.toFixed(precision));
  };
  element.addEventListener("pointerdown", down, { capture: true });
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  return () => {
    element.removeEventListener("pointerdown", down, { capture: true });
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
  };
}
