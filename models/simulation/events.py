"""What happened at the exchange, in order: the source of its WebSocket messages and records."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.simulation.engine.orders import Execution, LedgerEntry, Order
from models.trading.orders import Side


class ExecutionType(StrEnum):
    """What happened to an order; the values are ``exec_type`` of the executions channel.

    ``STATUS`` covers a trigger that fired or a trailing trigger that moved.
    """

    PENDING_NEW = "pending_new"
    NEW = "new"
    TRADE = "trade"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    AMENDED = "amended"
    RESTATED = "restated"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """An order of ``account`` changed; ``order`` is a copy as of now, after the change.

    ``execution`` is set for ``TRADE``; ``order.reason`` says why for ``CANCELED``. ``amend_id``
    is set for ``AMENDED``.
    """

    account: str
    execution_type: ExecutionType
    order: Order
    at: datetime
    execution: Execution | None = None
    amend_id: str | None = None


@dataclass(frozen=True, slots=True)
class BalanceChanged:
    """A ledger entry was written; a trade writes two (base, then quote)."""

    account: str
    entry: LedgerEntry


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """A trade in the public record. ``side`` and ``order_type`` are the taker's.

    ``order_type`` is ``market`` or ``limit``. Numbers count from 1 in each book without gap.
    """

    symbol: str
    trade_id: int
    side: Side
    price: Decimal
    quantity: Decimal
    order_type: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BookChanged:
    """The public book of ``symbol`` may differ from before; read it with ``Venue.book``."""

    symbol: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The system's status (``symbol`` None) or that of a pair changed."""

    symbol: str | None
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PairAltered:
    """Tick, precision, minimums or names of a pair changed; read it with ``Venue.instrument``."""

    symbol: str
    at: datetime


Event = OrderChanged | BalanceChanged | PublicTrade | BookChanged | StatusChanged | PairAltered
