"""The two records of an account that are compared: the exchange's own, and ours."""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.orders import Fill, OrderStatus, Side


@dataclass(frozen=True, slots=True)
class ExchangeOrder:
    """An order as the exchange has it; ``order_type`` is its own word, known to us or not."""

    order_id: str
    client_order_id: str | None
    userref: int | None
    parent_order_id: str | None
    symbol: str
    side: Side
    order_type: str
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """What the exchange itself says of an account; balances and ledger in v2 asset names."""

    orders: tuple[ExchangeOrder, ...]
    fills: tuple[Fill, ...]
    balances: dict[str, Decimal]
    ledger_sums: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order as we recorded it; ``trade`` is the number of the trade that it belongs to.

    ``age_seconds`` is how long ago it was last sent, or intended where it was never sent.
    """

    client_order_id: str
    trade: int
    order_id: str | None
    status: OrderStatus
    userref: int
    sends: int
    attached: bool
    age_seconds: float


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """What we say of an account; ``settled`` are the numbers of the trades that are over."""

    orders: tuple[OwnOrder, ...]
    fills: dict[str, Fill]
    balances: dict[str, Decimal]
    settled: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Minimum:
    """The smallest order of a pair: less can neither be protected nor sold."""

    quantity: Decimal
    cost: Decimal
