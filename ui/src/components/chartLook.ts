import type { ChartOptions, DeepPartial } from "lightweight-charts";

/** The look of a chart in the present theme. The library is credited in System: its own logo would need an inline style. */
export function chartLook(height: number): DeepPartial<ChartOptions> {
  const style = getComputedStyle(document.documentElement);
  const tone = (name: string) => style.getPropertyValue(name).trim();
  return {
    height,
    autoSize: true,
    layout: { background: { color: "transparent" }, textColor: tone("--soft"), attributionLogo: false, fontFamily: style.fontFamily },
    grid: { vertLines: { visible: false }, horzLines: { color: tone("--line") } },
    rightPriceScale: { borderColor: tone("--line"), entireTextOnly: true },
    timeScale: { borderColor: tone("--line"), timeVisible: true, secondsVisible: false },
    handleScroll: { mouseWheel: false, pressedMouseMove: true, horzTouchDrag: true, vertTouchDrag: false },
    handleScale: { mouseWheel: false, pinch: true, axisPressedMouseMove: true, axisDoubleClickReset: true },
  };
}
