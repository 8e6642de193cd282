"""Messages of backtests that people ask for: what is tried, and how it ended."""

from dataclasses import dataclass, field
from datetime import datetime

RESEARCH_QUEUE = "research"
BACKTEST_WORKFLOW = "BacktestWorkflow"
RECORD_VENUE = "record"
"""Venue of the platform's own candles."""
HISTORY_PREFIX = "history."
"""Begins the name of a venue of kept history; every other venue is a folder of recordings."""

FAST_ENGINE, REFERENCE_ENGINE = "fast", "reference"
COMBINATIONS_MAXIMUM = 64
"""Combinations of a sweep that can be asked for over the API."""

RESULTS_FILE, PAGE_FILE, EVIDENCE_FILE = "results.json", "page.html", "evidence.json"
"""What the process of a backtest leaves in its directory."""
WAITING_MAXIMUM = 20
"""Backtests that may wait or run at once."""


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """One backtest.

    Attributes:
        run_id: its id, made from the request's key.
        by: who asked.
        strategies: names; each is tried on every pair.
        venue: a folder of recordings, ``record``, or ``history.VENUE`` of what was imported.
        pairs: pairs in v2 names; none: all that the venue has.
        interval_minutes: length of a bar; None: the strategy's own.
        begin: from when on the strategies are judged; what was recorded before, they have seen.
        end: where the bars end; not included.
        together: whether the pairs are one portfolio.
        capital: USD at the start.
        fees: day on which a fee schedule took effect, or ``MAKER/TAKER`` in percent; ``""``: today.
        slippage: share of the price that a market order loses.
        latency: seconds between a decision and the exchange.
        sweep: ``PARAMETER=VALUE,VALUE…``; every combination is tried.
        walk_forward: whether it is told what choosing among them by the past would have come to.
        engine: ``fast``, or ``reference``: the platform's own decisions make the trades.
    """

    run_id: str
    by: str
    strategies: tuple[str, ...]
    venue: str
    pairs: tuple[str, ...] = ()
    interval_minutes: int | None = None
    begin: datetime | None = None
    end: datetime | None = None
    together: bool = False
    capital: float = 100_000.0
    fees: str = ""
    slippage: float = 0.0005
    latency: float = 1.0
    sweep: tuple[str, ...] = ()
    walk_forward: bool = False
    engine: str = FAST_ENGINE


@dataclass(frozen=True, slots=True)
class BacktestDone:
    """How a backtest ended: ``finished``, ``refused`` (with the reason), ``cancelled``."""

    run_id: str
    outcome: str
    reason: str = ""
    results: int = field(default=0)


def backtest_workflow_id(run_id: str) -> str:
    """Return the id of a backtest's workflow."""
    return f"backtest/{run_id}"
