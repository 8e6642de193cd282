"""What an account is told and asks for as to its equity, its day and its capital."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.capital.days import DailyRecord
from models.trading.capital.flows import CapitalFlow, LedgerLine, NavBaseline
from models.trading.trading_day import DayBoundary

# --- facts and requests ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PricesMarked:
    """Prices of what the account holds, by symbol. ``at`` is market time, ``sent_at`` protocol.

    ``unpriced`` are pairs that it holds whose price is not known any more: stale, or too old.
    ``again_within`` promises the next telling, in market time, whether or not anything moves:
    whoever hears nothing for much longer knows no price any more. None: nothing is promised.
    """

    prices: dict[str, Decimal]
    at: datetime
    sent_at: datetime
    unpriced: tuple[str, ...] = ()
    again_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TradeExecuted:
    """All that the record holds of a trade's executions: base units, and USD with fees inside."""

    bought: Decimal
    sold: Decimal
    cash_flow: Decimal


@dataclass(frozen=True, slots=True)
class DayBoundaryPassed:
    """A boundary of the account's day lies behind; what it needs to be closed at that moment.

    Attributes:
        prices: the last close at or before the boundary, by symbol.
        moved: what executions after the boundary have moved since, by asset.
        realised: net profit in USD of what was sold on the day, None when not known.
        fees: fees in USD of the day's executions.
        executed: trades that were executed since the day began, by number: the account may not have
            been told yet of an execution that ``moved`` counts.
        sent_at: protocol time.
    """

    boundary: DayBoundary
    prices: dict[str, Decimal]
    moved: dict[str, Decimal]
    sent_at: datetime
    realised: Decimal | None = None
    fees: Decimal | None = None
    executed: dict[int, TradeExecuted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CapitalRequested:
    """Somebody brings simulated capital in (positive) or takes it out (negative)."""

    request_id: str
    by: str
    asset: str
    amount: Decimal
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CapitalMoved:
    """The exchange has booked what was requested."""

    line: LedgerLine
    by: str
    note: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class CapitalRefused:
    """The exchange refused what was requested; nothing was booked."""

    request_id: str
    by: str
    reason: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class DrawdownLiftRequested:
    """Somebody lifts the halt of the total drawdown; the high-water mark begins anew."""

    request_id: str
    by: str
    reason: str
    at: datetime


CapitalFact = PricesMarked | DayBoundaryPassed | CapitalMoved | CapitalRefused
CapitalRequest = CapitalRequested | DrawdownLiftRequested

# --- commands ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlowNoted:
    """A flow as it was counted.

    ``value_after`` is equity in USD right after it and ``noted_at`` the market time then; both are
    None for what was there before anything was measured.
    """

    flow: CapitalFlow
    noted_at: datetime | None = None
    value_after: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RecordDay:
    """Write what a day came to, once per day."""

    record: DailyRecord


@dataclass(frozen=True, slots=True)
class RecordFlows:
    """Write capital flows, each once."""

    flows: tuple[FlowNoted, ...]


@dataclass(frozen=True, slots=True)
class RecordBaseline:
    """Write a value that profit is measured from."""

    baseline: NavBaseline


@dataclass(frozen=True, slots=True)
class MoveCapital:
    """Have the simulated exchange book capital; answered by CapitalMoved or CapitalRefused."""

    request: CapitalRequested


CapitalCommand = RecordDay | RecordFlows | RecordBaseline | MoveCapital
