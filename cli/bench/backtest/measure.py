"""Bars per second of both backtest engines, beside vectorbt's in an environment of its own.

One synthetic year of minute bars (seeded), SMA 50 over 200, stop 1 %, target 2 %, fee 0.26 %. Each
engine is given the same bars and the same moments of entry and exit; what is timed is the
simulation. vectorbt is never a dependency: it is installed below ``build`` when it is asked for.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.learning.backtest.bars import Bars
    from models.learning.backtest.decisions import Decisions

BARS = 525_600
FAST, SLOW = 50, 200
STOP_SHARE, TARGET_SHARE, FEE = 0.01, 0.02, 0.0026
REPEATS = 5
SEED = 20260101
PEER = "vectorbt==1.2.*"
PEER_HOME = Path("build") / "vectorbt"
PEER_PROGRAM = Path(__file__).with_name("peer.py")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """Bars per second of the best of several runs, and seconds of the first."""

    bars_per_second: float
    first_seconds: float


def measure(tell: Tell, *, with_peer: bool = True, bars_count: int = BARS) -> dict[str, Any]:
    """Return the report; vectorbt's figures are null where it could not be had."""
    tell(f"making {bars_count:,} bars")
    bars = make(bars_count)
    first_use = first_use_seconds(tell)
    fast, decisions, outcome = time_fast(bars, tell)
    reference, trades = time_reference(bars, tell)
    peer: dict[str, Any] = {"error": "not asked for"}
    if with_peer:
        peer = measure_peer(bars, decisions, tell)
    api, kernel = peer.get("api_bars_per_second"), peer.get("kernel_bars_per_second")
    speed = fast.bars_per_second
    return {
        "bars": bars_count,
        "fast_bars_per_second": round(speed),
        "vectorbt_bars_per_second": api,
        "vectorbt_kernel_bars_per_second": kernel,
        "reference_bars_per_second": round(reference),
        "first_use_seconds": round(first_use, 2),
        "fast_of_vectorbt": round(speed / api, 1) if api else None,
        "fast_of_vectorbt_kernel": round(speed / kernel, 2) if kernel else None,
        "fast_trades": outcome,
        "reference_trades": trades,
        "vectorbt_trades": peer.get("trades"),
        "vectorbt_version": peer.get("version"),
        "vectorbt_error": peer.get("error"),
        "same_trades": outcome == trades,
        "load_average": os.getloadavg()[0],
        "cores": os.cpu_count(),
    }


def make(count: int) -> "Bars":
    """Return seeded minute bars around 60,000 USD, without gaps."""
    import numpy as np

    from models.learning.backtest.bars import make_bars
    from models.simulation.markets.instruments import UNIVERSE

    generator = np.random.default_rng(SEED)
    steps = generator.normal(0, 0.0008, count)
    close = 60_000 * np.exp(np.cumsum(steps))
    opening = np.concatenate([[60_000.0], close[:-1]])
    reach = np.abs(generator.normal(0, 0.0003, (2, count)))
    high = np.maximum(opening, close) * (1 + reach[0])
    low = np.minimum(opening, close) * (1 - reach[1])
    # Deep enough that no entry is limited by volume: the peer knows no such limit.
    volume = generator.uniform(5_000, 20_000, count)
    minutes = np.arange(count, dtype=np.int64) + 27_000_000
    instrument = UNIVERSE.by_symbol("BTC/USD").instrument
    return make_bars(instrument, 1, minutes, (opening, high, low, close), volume, source="seeded")


def first_use_seconds(tell: Tell) -> float:
    """Return how long a fresh process takes from its start to a first small result, cached."""
    program = (
        "import time; began = time.perf_counter()\n"
        "from cli.bench.backtest.measure import make, rules_of, sma_decisions\n"
        "from models.learning.backtest.fast import run_fast\n"
        "bars = make(1000)\n"
        "run_fast(bars, sma_decisions(bars), *rules_of())\n"
        "print(time.perf_counter() - began)\n"
    )
    seconds = 0.0
    for _ in range(2):  # the first may have to compile
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        seconds = float(done.stdout)
    tell(f"first use {seconds:.2f} s")
    return seconds


def rules_of() -> Any:
    """Return fill rules and portfolio of the comparison: one fee, no slippage, no latency."""
    from models.learning.backtest.rules import FillRules, Portfolio, flat_fees

    rules = FillRules(slippage_share=0.0, latency_seconds=0.0, fees=flat_fees(str(FEE), str(FEE)))
    return rules, Portfolio()


def sma_decisions(bars: "Bars") -> "Decisions":
    """Return the decisions of the averages' crossings, as columns, computed on whole ticks."""
    import numpy as np

    from models.learning.backtest.decisions import no_decisions

    sums = np.concatenate([[0], np.cumsum(bars.close)])
    rows = no_decisions(len(bars))
    fast, slow = np.zeros(len(bars)), np.zeros(len(bars))
    fast[FAST - 1 :] = (sums[FAST:] - sums[:-FAST]) / FAST
    slow[SLOW - 1 :] = (sums[SLOW:] - sums[:-SLOW]) / SLOW
    above = (fast > slow)[SLOW - 1 :]
    crossed = np.flatnonzero(above[1:] != above[:-1]) + SLOW
    up = (fast > slow)[crossed]
    rows.target[crossed[up]], rows.target[crossed[~up]] = 1.0, 0.0
    rows.stop[:] = np.ceil(bars.close * (1 - STOP_SHARE) - 1e-6)
    rows.take[:] = np.floor(bars.close * (1 + TARGET_SHARE) + 1e-6)
    return rows


def time_fast(bars: "Bars", tell: Tell) -> tuple[Timing, "Decisions", int]:
    """Time the compiled engine over prepared decisions; the indicators are not part of it."""
    from models.learning.backtest.fast import align, play, result_of

    rules, portfolio = rules_of()
    decisions, finer = sma_decisions(bars), align(bars, None)
    seconds = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        outcome = play(bars, decisions, rules, portfolio, finer)
        seconds.append(time.perf_counter() - began)
    timing = Timing(len(bars) / min(seconds[1:]), seconds[0])
    trades = len(result_of(bars, outcome, portfolio).round_trips())
    tell(f"fast engine {timing.bars_per_second:,.0f} bars/s, {trades} trades")
    return timing, decisions, trades


def time_reference(bars: "Bars", tell: Tell) -> tuple[float, int]:
    """Time the reference engine, strategy and all."""
    from models.learning.backtest.crossing import AverageCrossing
    from models.learning.backtest.reference import run_reference

    rules, portfolio = rules_of()
    strategy = AverageCrossing(FAST, SLOW, str(STOP_SHARE), str(TARGET_SHARE))
    began = time.perf_counter()
    result = run_reference(strategy, bars, rules, portfolio)
    speed = len(bars) / (time.perf_counter() - began)
    trades = len(result.round_trips())
    tell(f"reference engine {speed:,.0f} bars/s, {trades} trades")
    return speed, trades


def measure_peer(bars: "Bars", decisions: "Decisions", tell: Tell) -> dict[str, Any]:
    """Return vectorbt's figures on the same bars and moments, run in an environment of its own."""
    import numpy as np

    try:
        python = _peer_python(tell)
    except (OSError, subprocess.SubprocessError) as error:
        return {"error": f"vectorbt could not be installed: {str(error)[:300]}"}
    data = PEER_HOME / "bars.npz"
    np.savez(
        data,
        open=bars.open * bars.tick,
        high=bars.high * bars.tick,
        low=bars.low * bars.tick,
        close=bars.close * bars.tick,
        entries=decisions.target > 0,
        exits=decisions.target == 0,
    )
    shares = [str(share) for share in (STOP_SHARE, TARGET_SHARE, FEE)]
    done = subprocess.run(  # noqa: S603
        [str(python), str(PEER_PROGRAM), str(data), *shares, str(REPEATS)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"error": f"vectorbt failed: {done.stderr.strip()[-300:]}"}
    report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    tell(
        f"vectorbt {report['api_bars_per_second']:,} bars/s, its kernel "
        f"{report['kernel_bars_per_second']:,} bars/s, {report['trades']} trades"
    )
    return report


def _peer_python(tell: Tell) -> Path:
    python = PEER_HOME / "bin" / "python"
    stamp = PEER_HOME / ".installed"
    if stamp.is_file() and stamp.read_text() == PEER:
        return python
    tell(f"installing {PEER} below {PEER_HOME} (once)")
    uv = Path(sys.prefix) / "bootstrap" / "bin" / "uv"
    PEER_HOME.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(PEER_HOME)],
        [str(uv), "pip", "install", "--quiet", "--python", str(python), PEER],
    ):
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    stamp.write_text(PEER)
    return python
