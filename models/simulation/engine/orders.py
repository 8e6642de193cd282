"""Orders of the exchange model: what is asked for, what rests, and what was executed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.trading.orders import Side

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a request reaches the exchange, on both clocks.

    ``market`` stamps whatever the exchange reports and drives expiry and start times; ``wall``
    (protocol time) drives deadlines, rate counters, order ages for their costs, and the dead-man
    switch. Both are timezone-aware.
    """

    market: datetime
    wall: datetime


class OrderKind(StrEnum):
    """Order types of Kraken spot; the values are the REST ones."""

    MARKET = "market"
    LIMIT = "limit"
    ICEBERG = "iceberg"
    STOP_LOSS = "stop-loss"
    TAKE_PROFIT = "take-profit"
    STOP_LOSS_LIMIT = "stop-loss-limit"
    TAKE_PROFIT_LIMIT = "take-profit-limit"
    TRAILING_STOP = "trailing-stop"
    TRAILING_STOP_LIMIT = "trailing-stop-limit"

    @property
    def is_triggered_kind(self) -> bool:
        """Tell whether the order waits for a trigger before it enters the book."""
        return self not in (OrderKind.MARKET, OrderKind.LIMIT, OrderKind.ICEBERG)

    @property
    def is_trailing(self) -> bool:
        """Tell whether the trigger follows the market."""
        return self in (OrderKind.TRAILING_STOP, OrderKind.TRAILING_STOP_LIMIT)

    @property
    def is_priced(self) -> bool:
        """Tell whether the order carries a limit price when it enters the book."""
        return self not in (
            OrderKind.MARKET,
            OrderKind.STOP_LOSS,
            OrderKind.TAKE_PROFIT,
            OrderKind.TRAILING_STOP,
        )


class ForceKind(StrEnum):
    """Time in force as on the wire; ``FOK`` is fill or kill, ``GTD`` needs an expiry."""

    GTC = "GTC"
    IOC = "IOC"
    GTD = "GTD"
    FOK = "FOK"


class SelfTradePrevention(StrEnum):
    """What happens when an order would match another of the same account."""

    CANCEL_NEWEST = "cancel-newest"
    CANCEL_OLDEST = "cancel-oldest"
    CANCEL_BOTH = "cancel-both"


class VenueOrderStatus(StrEnum):
    """Order status in REST words (kraken-protocol §8.3)."""

    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def is_live(self) -> bool:
        """Tell whether the order can still change."""
        return self in (VenueOrderStatus.PENDING, VenueOrderStatus.OPEN)


@dataclass(frozen=True, slots=True)
class PriceTerm:
    """A price as requested: absolute (``sign`` empty) or relative (``+``, ``-`` or ``#``)."""

    value: Decimal
    sign: str = ""
    percent: bool = False

    @property
    def is_relative(self) -> bool:
        """Tell whether the price is an offset."""
        return bool(self.sign)


@dataclass(frozen=True, slots=True)
class CloseTerms:
    """A conditional close: ``price`` and ``price2`` mean what they mean on AddOrder."""

    kind: OrderKind
    price: PriceTerm | None = None
    price2: PriceTerm | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An AddOrder or ``add_order`` after its syntax was read.

    ``price`` is the limit price of ``limit`` and ``iceberg``, the trigger price of stop and
    take-profit kinds, the offset of trailing kinds; ``price2`` is the limit of ``*-limit`` kinds.
    ``starts_at`` and ``expires_at`` are market time, ``deadline`` is protocol time.
    """

    symbol: str
    side: Side
    kind: OrderKind
    volume: Decimal
    price: PriceTerm | None = None
    price2: PriceTerm | None = None
    display_volume: Decimal | None = None
    trigger: str = "last"
    post_only: bool = False
    fee_in_base: bool = False
    volume_in_quote: bool = False
    time_in_force: ForceKind = ForceKind.GTC
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    userref: int | None = None
    cl_ord_id: str | None = None
    self_trade: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST
    deadline: datetime | None = None
    validate: bool = False
    close: CloseTerms | None = None


@dataclass(frozen=True, slots=True)
class AmendRequest:
    """An AmendOrder: exactly one of ``txid`` and ``cl_ord_id``, and what is to change."""

    txid: str | None = None
    cl_ord_id: str | None = None
    volume: Decimal | None = None
    display_volume: Decimal | None = None
    limit_price: PriceTerm | None = None
    trigger_price: PriceTerm | None = None
    post_only: bool | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class EditRequest:
    """An EditOrder: cancel ``txid`` and place a new order with what is given changed."""

    txid: str
    symbol: str
    volume: Decimal | None = None
    price: PriceTerm | None = None
    price2: PriceTerm | None = None
    display_volume: Decimal | None = None
    post_only: bool | None = None
    userref: int | None = None
    deadline: datetime | None = None
    validate: bool = False


@dataclass(eq=False)
class Order:
    """One order of one account, live or done. Events and queries hand out copies.

    ``limit_price`` and ``trigger_price`` are effective prices (None where the kind has none, or
    where a trailing limit is not known before the trigger). ``price`` and ``price2`` are the
    terms as requested. ``opened_wall`` and ``amended_wall`` are protocol time, for rate costs.
    ``ahead`` is the quantity of others waiting before this order at its price (None: the price
    lay beyond the visible book when it joined). ``held`` is in base units for a sale and quote
    units for a purchase.
    """

    txid: str
    account: str
    symbol: str
    side: Side
    kind: OrderKind
    volume: Decimal
    price: PriceTerm | None
    price2: PriceTerm | None
    limit_price: Decimal | None
    trigger_price: Decimal | None
    display_volume: Decimal | None
    post_only: bool
    fee_in_base: bool
    volume_in_quote: bool
    time_in_force: ForceKind
    starts_at: datetime | None
    expires_at: datetime | None
    userref: int | None
    cl_ord_id: str | None
    self_trade: SelfTradePrevention
    close: CloseTerms | None
    parent: str | None
    opened_at: datetime
    opened_wall: datetime
    status: VenueOrderStatus = VenueOrderStatus.PENDING
    amended_wall: datetime | None = None
    amended: bool = False
    triggered: bool = False
    triggered_at: datetime | None = None
    peak_price: Decimal | None = None
    executed: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    fill_ids: tuple[str, ...] = ()
    closed_at: datetime | None = None
    reason: str | None = None
    held: Decimal = ZERO
    priority: int = 0
    ahead: Decimal | None = ZERO

    @property
    def remaining(self) -> Decimal:
        """Return the base quantity not executed yet."""
        return self.volume - self.executed

    @property
    def average_price(self) -> Decimal:
        """Return the average fill price, zero without fills; not rounded."""
        return self.cost / self.executed if self.executed else ZERO

    @property
    def waits_for_trigger(self) -> bool:
        """Tell whether the order is a stop or take-profit that has not triggered."""
        return self.kind.is_triggered_kind and not self.triggered

    @property
    def flags(self) -> tuple[str, ...]:
        """Return Kraken's ``oflags`` of the order."""
        flags = ["post"] if self.post_only else []
        flags.append("fcib" if self.fee_in_base else "fciq")
        if self.volume_in_quote:
            flags.append("viqc")
        return tuple(flags)

    @property
    def misc(self) -> tuple[str, ...]:
        """Return Kraken's ``misc`` words: stopped, touched, partial, amended."""
        words = []
        if self.triggered:
            is_profit = self.kind in (OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT)
            words.append("touched" if is_profit else "stopped")
        if self.executed and not self.status.is_live and self.remaining:
            words.append("partial")
        if self.amended:
            words.append("amended")
        return tuple(words)

    def copy(self) -> "Order":
        """Return a copy that later changes do not reach."""
        twin = Order.__new__(Order)
        twin.__dict__.update(self.__dict__)
        return twin


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill of one order. ``trade_id`` is the public, per-book number.

    ``fee`` is in ``fee_asset`` (v2 name); ``fee_quote`` its value in quote units. ``postxid`` is
    a filler, as on Kraken spot. ``ledger_ids`` are the base and quote entries. ``at`` is market
    time and ``wall`` protocol time, None for fills of a state written before it was kept.
    """

    txid: str
    order_txid: str
    postxid: str
    account: str
    symbol: str
    side: Side
    kind: OrderKind
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    fee_quote: Decimal
    maker: bool
    trade_id: int
    at: datetime
    ledger_ids: tuple[str, ...] = ()
    wall: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One booking: the balance after it is the balance before + ``amount`` - ``fee``.

    ``asset`` is a v2 name. ``kind`` is ``trade``, ``deposit`` or ``withdrawal``; ``refid`` the
    trade's txid.
    """

    txid: str
    account: str
    refid: str
    at: datetime
    kind: str
    subtype: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class AmendRecord:
    """One version of an order in its history (OrderAmends); the first is ``original``."""

    amend_id: str
    amend_type: str
    volume: Decimal
    remaining: Decimal
    limit_price: Decimal | None
    trigger_price: Decimal | None
    display_volume: Decimal | None
    post_only: bool
    at: datetime
