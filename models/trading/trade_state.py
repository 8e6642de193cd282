"""The state of one trade: its plan, its orders, its fills and what follows from them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.trading.instruments import Instrument
from models.trading.limits import FeeRates, ProtectionMode
from models.trading.orders import Fill, Leg, OrderSpec, OrderStatus, Side
from models.trading.trade_facts import ExitReason, PriceWatch

ZERO = Decimal(0)


class TradePhase(StrEnum):
    """Where a trade stands in its life."""

    ENTERING = "entering"
    OPEN = "open"
    EXITING = "exiting"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class TradePlan:
    """Everything that was decided when the trade was allowed; it never changes afterwards.

    ``reference_price`` is the mid price at the decision: slippage is measured against it.
    ``decided_at`` is market time, ``requested_at`` protocol time. ``source`` is ``idea/<id>`` or
    ``request/<id>``. ``trailing_distance`` is in quote units.
    """

    account: str
    number: int
    installation: str
    instrument: Instrument
    protection: ProtectionMode
    entry: OrderSpec
    stop_price: Decimal
    take_profit_price: Decimal | None
    trailing_distance: Decimal | None
    fees: FeeRates
    reference_price: Decimal
    source: str
    decided_at: datetime
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class TradeOrder:
    """One order of the trade as far as the trade knows it.

    ``spec.quantity`` is what was asked for; ``quantity`` and ``trigger_price`` what rests now
    (amends change them). ``order_id`` is None until acknowledged or seen in a fill.
    """

    spec: OrderSpec
    status: OrderStatus
    quantity: Decimal
    order_id: str | None = None
    trigger_price: Decimal | None = None
    filled_quantity: Decimal = ZERO
    reason: str | None = None
    pending_amend: bool = False


@dataclass(frozen=True, slots=True)
class TradeState:
    """Carry a trade from entry to settlement; replaced, never changed."""

    plan: TradePlan
    phase: TradePhase
    stop_price: Decimal
    take_profit_price: Decimal | None
    orders: tuple[TradeOrder, ...] = ()
    fills: tuple[Fill, ...] = ()
    watches: tuple[PriceWatch, ...] = ()
    watch_generation: int = 0
    trailed: bool = False
    exit_reason: ExitReason | None = None
    exit_wanted: bool = False
    entry_cancel_wanted: bool = False
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    refusals: tuple[str, ...] = field(default_factory=tuple)

    @property
    def bought(self) -> Decimal:
        """Return the base quantity bought so far."""
        return sum((f.quantity for f in self.fills if f.side is Side.BUY), ZERO)

    @property
    def sold(self) -> Decimal:
        """Return the base quantity sold so far."""
        return sum((f.quantity for f in self.fills if f.side is Side.SELL), ZERO)

    @property
    def held(self) -> Decimal:
        """Return the base quantity held now."""
        return self.bought - self.sold

    @property
    def fees(self) -> Decimal:
        """Return all fees so far, in USD."""
        return sum((f.fee for f in self.fills), ZERO)

    @property
    def cash_flow(self) -> Decimal:
        """Return USD received less USD paid, fees included."""
        flow = sum((f.cost if f.side is Side.SELL else -f.cost for f in self.fills), ZERO)
        return flow - self.fees

    def order(self, client_order_id: str) -> TradeOrder | None:
        """Return the order with this client order id."""
        return next((o for o in self.orders if o.spec.client_order_id == client_order_id), None)

    def of_leg(self, leg: Leg) -> tuple[TradeOrder, ...]:
        """Return the orders of one leg, oldest first."""
        return tuple(o for o in self.orders if o.spec.leg is leg)

    @property
    def protected_quantity(self) -> Decimal:
        """Return the base quantity covered by acknowledged, resting stops."""
        return sum(
            (
                o.quantity - o.filled_quantity
                for o in self.of_leg(Leg.STOP)
                if o.status is OrderStatus.OPEN
            ),
            ZERO,
        )


@dataclass(frozen=True, slots=True)
class TradeSummary:
    """What an account needs to know of one of its trades.

    ``reserved_cash`` is the USD that the unfilled rest of the entry may still spend, fees included.
    """

    number: int
    symbol: str
    phase: TradePhase
    bought: Decimal
    sold: Decimal
    cash_flow: Decimal
    fees: Decimal
    reserved_cash: Decimal
    stop_price: Decimal
    entry_order_id: str | None
    entry_client_order_id: str
    entry_open: bool
    exit_reason: ExitReason | None = None
