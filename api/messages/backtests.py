"""What the API takes and gives of backtests. Figures are decimal text; null: not known."""

from datetime import datetime
from math import prod
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from api.messages.bodies import Moment, RequestBody
from api.messages.schemas import Money, Row
from models.contracts.backtests import COMBINATIONS_MAXIMUM, FAST_ENGINE

Pair = Annotated[str, Field(min_length=3, max_length=30, pattern=r"^[A-Z0-9.]+/[A-Z0-9.]+$")]
StrategyName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9_]+$")]
Venue = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9._-]+$")]
Fees = Annotated[
    str,
    Field(
        max_length=30,
        pattern=r"^$|^\d{4}-\d{2}-\d{2}$|^\d{1,2}(\.\d{1,6})?/\d{1,2}(\.\d{1,6})?$",
        description="Day of a fee schedule, or MAKER/TAKER in percent; left out: today's schedule",
    ),
]
Sweep = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^[a-z][a-z0-9_]{0,59}=[A-Za-z0-9.+/-]{1,40}(,[A-Za-z0-9.+/-]{1,40})*$",
        description="PARAMETER=VALUE,VALUE…: every combination is tried",
    ),
]
INTERVAL_MAXIMUM = 10_080


class StartBacktest(RequestBody):
    """Strategies tried on recorded candles; without ``end`` to the last of them."""

    strategies: Annotated[list[StrategyName], Field(min_length=1, max_length=10)]
    venue: Venue
    pairs: Annotated[list[Pair], Field(max_length=30, default_factory=list)]
    interval_minutes: Annotated[int | None, Field(ge=1, le=INTERVAL_MAXIMUM)] = None
    begin: Moment | None = None
    end: Moment | None = None
    together: bool = False
    capital: Annotated[float, Field(ge=1, le=1e12)] = 100_000.0
    fees: Fees = ""
    slippage: Annotated[float, Field(ge=0, le=0.1)] = 0.0005
    latency: Annotated[float, Field(ge=0, le=3600)] = 1.0
    sweep: Annotated[list[Sweep], Field(max_length=6, default_factory=list)]
    walk_forward: bool = False
    engine: Literal["fast", "reference"] = "fast"

    @field_validator("begin", "end")
    @classmethod
    def _has_zone(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("Input should have a time zone")
        return moment

    @model_validator(mode="after")
    def _span(self) -> Self:
        if self.begin is not None and self.end is not None and self.end <= self.begin:
            raise ValueError("end must come after begin")
        return self

    @model_validator(mode="after")
    def _swept(self) -> Self:
        names = [text.partition("=")[0] for text in self.sweep]
        if len(set(names)) < len(names):
            raise ValueError("a sweep names each parameter once")
        combinations = prod(text.count(",") + 1 for text in self.sweep)
        if combinations > COMBINATIONS_MAXIMUM:
            raise ValueError(f"a sweep has at most {COMBINATIONS_MAXIMUM} combinations")
        if self.walk_forward and combinations < 2:
            raise ValueError("walk_forward chooses among a sweep's combinations: there are none")
        return self


class BacktestStarted(Row):
    """The backtest's id."""

    run_id: str


class AskedBacktest(Row):
    """What was asked."""

    strategies: list[str]
    venue: str
    pairs: list[str]
    interval_minutes: int | None
    begin: datetime | None
    end: datetime | None
    together: bool
    capital: float
    fees: str
    slippage: float
    latency: float
    sweep: tuple[str, ...] = ()
    walk_forward: bool = False
    engine: str = FAST_ENGINE


class BacktestView(Row):
    """One backtest: ``queued``, ``running``, ``finished``, ``refused`` or ``cancelled``."""

    run_id: str
    requested_by: str
    requested_at: datetime
    asked: AskedBacktest
    state: str
    stage: str
    done: int
    planned: int
    reason: str
    started_at: datetime | None
    ended_at: datetime | None
    cancelled_by: str | None


class CurvePoint(Row):
    """Equity of the strategy and of holding the same pairs, in USD."""

    at: datetime
    equity: str | None
    holding: str | None


class BacktestTrade(Row):
    """One trade from flat to flat; ``left`` names what sold the last of it."""

    symbol: str
    bought_at: datetime
    sold_at: datetime
    entry_price: str | None
    exit_price: str | None
    cost: str | None
    fees: str | None
    profit: str | None
    gain: str | None
    left: str


class BacktestWalk(Row):
    """What choosing among a sweep by the past would have come to; ``reason`` where it is unknown.

    ``best_afterwards`` is the Sharpe ratio of the best variant over the same days; ``chosen`` names
    the variant of each fold.
    """

    total: str | None
    days: int | None
    sharpe: str | None
    best_afterwards: str | None
    drawdown: str | None
    chosen: list[str]
    reason: str


class BacktestResult(Row):
    """What one strategy came to; ``trades`` are the newest of ``trades_total``.

    ``walk_forward`` is of all variants of the strategy on the same series, null: not asked for.
    """

    number: int
    strategy: str
    label: str
    pairs: list[str]
    sources: list[str]
    figures: dict[str, str | None]
    holding: dict[str, str | None]
    intervals: dict[str, list[str | None]]
    other_fees: dict[str, str | None]
    curve: list[CurvePoint]
    trades: list[BacktestTrade]
    trades_total: int
    notes: list[str]
    walk_forward: BacktestWalk | None = None


class BacktestDetail(BacktestView):
    """One backtest with its results."""

    results: list[BacktestResult]


class BacktestStrategy(Row):
    """A strategy that can be tried."""

    name: str
    standing: str
    interval_minutes: int | None
    sees_universe: bool


class Recording(Row):
    """Candles that can be tried on; days are null where only the file itself tells."""

    venue: str
    symbol: str
    interval_minutes: int
    first: datetime | None
    last: datetime | None


class BacktestChoices(Row):
    """What a backtest can be made of; ``missing`` says why there are no recordings."""

    strategies: list[BacktestStrategy]
    recordings: list[Recording]
    fee_schedules: list[str]
    missing: str | None


class ComparedFigureView(Row):
    """One figure of two results; ``difference`` is the second less the first."""

    name: str
    first: Money | None
    second: Money | None
    difference: Money | None


class BacktestComparison(Row):
    """Two results beside each other; ``obstacles`` say what besides the strategy differs."""

    first: str
    second: str
    obstacles: list[str]
    figures: list[ComparedFigureView]
