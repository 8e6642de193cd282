"""What an account is told and asked about its hedge, and what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.hedge.override import HedgeOverride
from models.trading.market import MarketSnapshot
from models.trading.trade.facts import PriceWatch

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class HedgeReviewDue:
    """Fact for the hedge's workflow: it is time to look again, and why."""

    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HedgeReviewRequested:
    """Somebody, mostly the clock, has the hedge looked at.

    Attributes:
        market: the pairs that are held, or that the hedge may buy back.
        volatilities: daily volatility by symbol, where known.
        market_volatility: the mean of all pairs followed, for an account that holds nothing.
    """

    request_id: str
    cause: str
    market: tuple[MarketSnapshot, ...]
    volatilities: dict[str, Decimal]
    market_volatility: Decimal | None
    market_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class HedgeOverrideRequested:
    """An administrator sets the share in USD by hand; ``market_at`` is the market time now."""

    request_id: str
    by: str
    share: Decimal
    reason: str
    market_at: datetime
    at: datetime
    expires_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class HedgeClearRequested:
    """Somebody gives the hedge back to the formula."""

    request_id: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HedgeRecord:
    """One review for the record, see ``models.tables.accounts.hedges``."""

    review_id: str
    cause: str
    at: datetime
    decided_at: datetime
    target: Decimal | None
    automatic_target: Decimal | None
    actual: Decimal
    equity: Decimal
    volatility: Decimal | None
    drawdown: Decimal
    override: HedgeOverride | None
    move: str | None
    value: Decimal
    reason: str
    trades: tuple[int, ...] = ()
    fees: Decimal = ZERO
    turnover: Decimal = ZERO
    lacking: Mapping[str, Decimal] = field(default_factory=dict)
    profit: Decimal | None = None


# --- commands ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SellParts:
    """Tell trades what all their sales together shall reach, in base units by trade.

    ``prices`` are those that it was decided at, by trade.
    """

    targets: dict[int, Decimal]
    prices: dict[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReviewHedge:
    """Have the hedge looked at now."""

    cause: str


@dataclass(frozen=True, slots=True)
class RecordHedge:
    """Write a review down."""

    record: HedgeRecord


@dataclass(frozen=True, slots=True)
class WatchHedge:
    """Wake the hedge at these prices and moments, and at no others."""

    watches: tuple[PriceWatch, ...]


HedgeRequest = HedgeReviewRequested | HedgeOverrideRequested | HedgeClearRequested
HedgeCommand = SellParts | ReviewHedge | RecordHedge | WatchHedge
