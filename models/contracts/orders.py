"""Requests to and results of the order activities: one argument object and one result each."""

from dataclasses import dataclass
from datetime import datetime

from models.trading.orders import OrderSpec
from models.trading.trade.entry_facts import AmendEntry, EntryAmended, EntryAmendRefused
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    CancelRefused,
    ChildAppeared,
    ExitPosition,
    FillReported,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderRefused,
    RequestHolding,
    SellPart,
    StopAmended,
    TradeFact,
)


@dataclass(frozen=True, slots=True)
class SubmitOrder:
    """An order whose id is fixed. ``intended_at`` is protocol time of the decision."""

    order: OrderSpec
    intended_at: datetime


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """Where an order stands after placing: acknowledged, refused or in doubt, perhaps final.

    One field per fact instead of a union, so that decoding never has to guess.
    """

    acknowledged: OrderAcknowledged | None = None
    refused: OrderRefused | None = None
    ended: OrderEnded | None = None
    doubted: OrderDoubted | None = None

    @property
    def facts(self) -> tuple[TradeFact, ...]:
        """Return what the trade must be told, in order."""
        told = (self.acknowledged, self.refused, self.ended, self.doubted)
        return tuple(fact for fact in told if fact is not None)


@dataclass(frozen=True, slots=True)
class OrderToCancel:
    """An order to withdraw; without ``order_id`` it is looked for by the ids of ``order``."""

    account: str
    order_id: str | None
    client_order_id: str
    order: OrderSpec | None
    intended_at: datetime


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """What a cancel came to; empty when no such order was ever intended.

    ``refused`` and ``doubted`` answer for an order whose sending was never answered; ``kept`` says
    that the exchange would not withdraw it.
    """

    ended: OrderEnded | None = None
    refused: OrderRefused | None = None
    doubted: OrderDoubted | None = None
    kept: CancelRefused | None = None

    @property
    def facts(self) -> tuple[TradeFact, ...]:
        """Return what the trade must be told."""
        told = (self.ended, self.refused, self.doubted, self.kept)
        return tuple(fact for fact in told if fact is not None)


@dataclass(frozen=True, slots=True)
class EntriesToWithdraw:
    """Open entries of one account to be cancelled together."""

    account: str
    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntriesWithdrawn:
    """How many of the entries were still open and are cancelled."""

    cancelled: int


@dataclass(frozen=True, slots=True)
class StopToAmend:
    """A resting stop to change in place."""

    account: str
    command: AmendStop


@dataclass(frozen=True, slots=True)
class StopAmendment:
    """What an amend came to."""

    amended: StopAmended | None = None
    refused: AmendRefused | None = None

    @property
    def facts(self) -> tuple[TradeFact, ...]:
        """Return what the trade must be told."""
        return tuple(f for f in (self.amended, self.refused) if f is not None)


@dataclass(frozen=True, slots=True)
class EntryToAmend:
    """A resting entry whose limit is to move."""

    account: str
    command: AmendEntry
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class EntryAmendment:
    """What that came to."""

    amended: EntryAmended | None = None
    refused: EntryAmendRefused | None = None

    @property
    def facts(self) -> tuple[TradeFact, ...]:
        """Return what the trade must be told."""
        return tuple(f for f in (self.amended, self.refused) if f is not None)


@dataclass(frozen=True, slots=True)
class PositionToExit:
    """Stops to drop and an exit to place, as one step."""

    command: ExitPosition
    intended_at: datetime


@dataclass(frozen=True, slots=True)
class PositionExit:
    """What became of the stops and of the exit."""

    stops: tuple[OrderEnded, ...]
    placed: OrderPlaced

    @property
    def facts(self) -> tuple[TradeFact, ...]:
        """Return what the trade must be told: the stops first."""
        return (*self.stops, *self.placed.facts)


@dataclass(frozen=True, slots=True)
class SellPartialExit:
    """A stop to make smaller and a part to sell, as one step."""

    command: SellPart
    intended_at: datetime


@dataclass(frozen=True, slots=True)
class PartialExit:
    """What became of the stop and of the sale."""

    stop: StopAmendment
    placed: OrderPlaced

    @property
    def facts(self) -> tuple[TradeFact, ...]:
        """Return what the trade must be told: the stop first."""
        return (*self.stop.facts, *self.placed.facts)


@dataclass(frozen=True, slots=True)
class HoldingRequest:
    """The base asset of a trade, to be asked for at the exchange."""

    account: str
    trade: int
    command: RequestHolding


@dataclass(frozen=True, slots=True)
class OrderStatusRequest:
    """Orders whose facts are overdue. ``children`` asks for those of conditional closes too."""

    account: str
    trade: int
    order_ids: tuple[str, ...]
    children: bool


@dataclass(frozen=True, slots=True)
class OrdersAnswered:
    """Everything the exchange says of the asked orders and of their children."""

    children: tuple[ChildAppeared, ...] = ()
    fills: tuple[FillReported, ...] = ()
    ended: tuple[OrderEnded, ...] = ()

    @property
    def facts(self) -> tuple[TradeFact, ...]:
        """Return what the trade must be told: children, then executions, then the ends."""
        return (*self.children, *self.fills, *self.ended)
