"""Time vectorbt on prepared bars: run by its own environment's Python, never imported here."""

import json
import sys
import time
from typing import Any


def main() -> None:
    """Print one JSON line: bars per second of the API and of its compiled kernel, warm."""
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]
    import vectorbt as vbt  # type: ignore[import-not-found,unused-ignore]

    path, stop, target, fee, repeats = sys.argv[1:]
    data = np.load(path)
    index = pd.date_range("2025-01-01", periods=len(data["close"]), freq="min")
    series = {name: pd.Series(data[name], index=index) for name in data.files}

    def api() -> Any:
        return vbt.Portfolio.from_signals(
            series["close"],
            entries=series["entries"],
            exits=series["exits"],
            open=series["open"],
            high=series["high"],
            low=series["low"],
            sl_stop=float(stop),
            tp_stop=float(target),
            fees=float(fee),
            init_cash=100_000.0,
            freq="1min",
        )

    portfolio = api()
    count = len(data["close"])
    timed = [_timed(api) for _ in range(int(repeats))]
    kernel = [_timed(_kernel(vbt, np, data, float(stop), float(target), float(fee)))]
    call = _kernel(vbt, np, data, float(stop), float(target), float(fee))
    call()
    kernel = [_timed(call) for _ in range(int(repeats))]
    print(
        json.dumps(
            {
                "api_bars_per_second": round(count / min(timed)),
                "kernel_bars_per_second": round(count / min(kernel)),
                "trades": int(portfolio.trades.count()),
                "version": vbt.__version__,
            }
        )
    )


def _kernel(vbt: Any, np: Any, data: Any, stop: float, target: float, fee: float) -> Any:
    """Return a call of the compiled loop behind ``from_signals``, its arguments prepared."""
    from vectorbt.portfolio import nb  # type: ignore[import-not-found,unused-ignore]

    del vbt

    def column(name: str) -> Any:
        return np.ascontiguousarray(data[name].reshape(-1, 1))

    names = ("open", "high", "low", "close")
    opens, highs, lows, closes = (column(name) for name in names)
    entries, exits = column("entries"), column("exits")
    none = np.zeros((1, 1), dtype=np.bool_)
    shape = closes.shape

    def call() -> Any:
        return nb.simulate_from_signals_nb(
            shape,
            np.array([1]),
            np.array([100_000.0]),
            np.array([[0]]),
            entries,
            exits,
            none,
            none,
            open=opens,
            high=highs,
            low=lows,
            close=closes,
            fees=np.array([[fee]]),
            sl_stop=np.array([[stop]]),
            tp_stop=np.array([[target]]),
            flex_2d=True,
        )

    return call


def _timed(call: Any) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
