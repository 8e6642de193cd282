"""Orders as the platform means them and as the exchange reports them; spot and cash only."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """Order types the platform sends; the values are Kraken's.

    ``OTHER`` stands for types found on the exchange that the platform never sends.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP_LOSS = "stop-loss"
    STOP_LOSS_LIMIT = "stop-loss-limit"
    TAKE_PROFIT = "take-profit"
    TRAILING_STOP = "trailing-stop"
    OTHER = "other"


class TimeInForce(StrEnum):
    """How long an order may rest."""

    GTC = "GTC"
    IOC = "IOC"


class Leg(StrEnum):
    """What an order is for in the life of its trade."""

    ENTRY = "entry"
    STOP = "stop"
    EXIT = "exit"
    PART = "part"
    HEDGE = "hedge"

    @property
    def sells_part(self) -> bool:
        """Tell whether the order sells a part of a position whose rest stays protected."""
        return self in (Leg.PART, Leg.HEDGE)


@dataclass(frozen=True, slots=True)
class ConditionalClose:
    """A stop attached to an entry: each fill of the entry creates one child order of that size."""

    order_type: OrderType
    trigger_price: Decimal
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """One intended order. ``client_order_id`` is fixed before the first send and never reused.

    Orders with a conditional close may not carry a client order id on the exchange
    (kraken-protocol §9); they are found again by ``userref`` instead. ``post_only``: the order may
    only rest, and is cancelled where it would take. ``decision_price`` is the market at which the
    order was decided, None where that was not known.
    """

    account: str
    trade: int
    leg: Leg
    client_order_id: str
    userref: int
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    close: ConditionalClose | None = None
    post_only: bool = False
    decision_price: Decimal | None = None

    @property
    def ends_at_once(self) -> bool:
        """Tell whether the order never rests: what it does not get at once is cancelled."""
        market = self.order_type is OrderType.MARKET
        return market or self.time_in_force is TimeInForce.IOC

    @property
    def is_protective(self) -> bool:
        """Tell whether the order lowers risk: what sells passes where entries may not."""
        return self.leg is not Leg.ENTRY


class OrderStatus(StrEnum):
    """Where an order stands. ``pending`` to ``expired`` are the exchange's own words."""

    INTENDED = "intended"
    UNKNOWN = "unknown"
    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_PLACED = "not_placed"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more can happen to the order."""
        return self in (
            OrderStatus.CLOSED,
            OrderStatus.CANCELED,
            OrderStatus.EXPIRED,
            OrderStatus.REJECTED,
            OrderStatus.NOT_PLACED,
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. ``exchange_time`` is market time; ``fee`` and ``cost`` are in USD."""

    execution_id: str
    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    exchange_time: datetime
    maker: bool = False


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What the exchange says of one order; ``order_id`` is its ``txid``."""

    order_id: str
    client_order_id: str | None
    userref: int | None
    parent_order_id: str | None
    symbol: str
    side: Side
    order_type: OrderType
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal
    cost: Decimal
    fee: Decimal
    average_price: Decimal
    limit_price: Decimal | None
    trigger_price: Decimal | None
    opened_at: datetime | None
    closed_at: datetime | None = None
    reason: str | None = None
    execution_ids: tuple[str, ...] = ()
