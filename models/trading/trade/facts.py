"""What a trade is told (facts) and what it asks for (commands)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.trading.exits.requests import ExitsChangeRequested
from models.trading.governance.approval import ApprovalSettled, RequestApproval
from models.trading.orders import Fill, Leg, OrderSpec, OrderStatus
from models.trading.trade.entry_facts import AmendEntry, EntryAmended, EntryAmendRefused


class WatchKind(StrEnum):
    """Why a price is watched."""

    TAKE_PROFIT = "take_profit"
    TRAIL = "trail"
    PARTIAL = "partial"
    BREAK_EVEN = "break_even"
    TIME = "time"
    MOVE = "move"
    REST = "rest"


class Direction(StrEnum):
    """From which side a price must come; reached counts. Only time reaches what ``comes``."""

    RISES_TO = "rises_to"
    FALLS_TO = "falls_to"
    COMES = "comes"


class ExitReason(StrEnum):
    """Why a trade ended."""

    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    REQUESTED = "requested"
    KILL_SWITCH = "kill_switch"
    ENTRY_NOT_FILLED = "entry_not_filled"
    PROTECTION_FAILED = "protection_failed"
    DRAWDOWN = "drawdown"
    PARTIAL_PROFIT = "partial_profit"
    TIME_STOP = "time_stop"
    HEDGE = "hedge"
    STRATEGY = "strategy"


HEDGE_WATCH = 0
"""The trade number under which the hedge of an account watches: it belongs to no trade."""


@dataclass(frozen=True, slots=True)
class PriceWatch:
    """A level that the market worker watches for a trade.

    ``watch_id`` changes whenever the level does, so a crossing of an old level is recognised.
    ``due_at`` is the market time that a watch of the kind ``time`` waits for; its level is zero.
    """

    watch_id: str
    account: str
    trade: int
    symbol: str
    kind: WatchKind
    direction: Direction
    level: Decimal
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderAcknowledged:
    """The exchange accepted the order, or was found to hold it. ``at`` is protocol time."""

    client_order_id: str
    order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """The order is proven not to exist: rejected, never sent, or absent (``not_placed``)."""

    client_order_id: str
    status: OrderStatus
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderDoubted:
    """An order was sent and never answered; its deadline passed and its absence is not proven.

    It counts as if it had been executed until the exchange itself tells.
    """

    client_order_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FillReported:
    """An execution. ``client_order_id`` is None on a child of a conditional close."""

    fill: Fill
    client_order_id: str | None = None
    parent_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """An order is final on the exchange: closed, canceled or expired.

    ``filled_quantity`` is the exchange's cumulative figure: when it exceeds the fills known to the
    trade, fills are still under way and the trade must wait for them.
    """

    order_id: str
    status: OrderStatus
    filled_quantity: Decimal
    reason: str | None
    at: datetime
    client_order_id: str | None = None
    parent_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class ChildAppeared:
    """A child of the entry's conditional close rests on the exchange: an attached stop."""

    order_id: str
    parent_order_id: str
    quantity: Decimal
    trigger_price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class StopAmended:
    """The exchange took a new quantity or trigger for a resting stop."""

    order_id: str
    quantity: Decimal
    trigger_price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class AmendRefused:
    """The exchange refused an amend; the stop stands as before, or is gone (``order_is_gone``)."""

    order_id: str
    reason: str
    order_is_gone: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """The exchange refused to withdraw an order; it stands as before."""

    client_order_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PriceCrossed:
    """The market reached a watched level; prices and ``at`` (market time) are the exchange's."""

    watch_id: str
    kind: WatchKind
    price: Decimal
    at: datetime
    bid: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """Somebody, or the account, wants the trade closed; ``price`` is the pair's, if known."""

    reason: ExitReason
    by: str
    at: datetime
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EntryCancelRequested:
    """The rest of the entry is to be withdrawn; what was filled stays protected (kill switch)."""

    reason: ExitReason
    at: datetime


@dataclass(frozen=True, slots=True)
class StopMoveRequested:
    """Somebody wants other exits, never to a worse protection; None leaves a price as it is.

    ``price`` is the pair's last price as the request was made, None where it is not known.
    """

    stop_price: Decimal | None
    take_profit_price: Decimal | None
    by: str
    at: datetime
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PartialExitRequested:
    """The account wants a part sold: all sales of the trade together shall reach ``sold_target``.

    A total, so that a repeat, and a request made on old figures, sells nothing twice. ``price`` is
    the pair's, if known. ``leg`` says for what: the hedge, or a strategy that wants less.
    """

    sold_target: Decimal
    by: str
    at: datetime
    price: Decimal | None = None
    leg: Leg = Leg.HEDGE


class ShortfallCause(StrEnum):
    """Why the exchange holds less than our executions say, as far as its ledger tells."""

    FEE = "fee_taken_in_base"
    WITHDRAWN = "withdrawn_or_moved"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class HoldingReported:
    """What the exchange holds that this trade may sell. ``at`` is protocol time of the question.

    ``available`` is the balance of the base asset less what other trades' orders would sell;
    ``sold`` what the exchange counts as sold by the ``orders`` of this trade that were asked about:
    both are the exchange's figures, so that executions still on their way here confuse nothing.
    ``fees`` and ``moved`` (positive) are what its ledger took since the trade's entry other than by
    trading.
    """

    available: Decimal
    sold: Decimal
    orders: int
    fees: Decimal
    moved: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """Time passed without progress: commands whose outcome never came are due again."""

    at: datetime


TradeFact = (
    OrderAcknowledged
    | OrderRefused
    | OrderDoubted
    | FillReported
    | OrderEnded
    | ChildAppeared
    | StopAmended
    | AmendRefused
    | CancelRefused
    | EntryAmended
    | EntryAmendRefused
    | PriceCrossed
    | CloseRequested
    | EntryCancelRequested
    | StopMoveRequested
    | PartialExitRequested
    | ExitsChangeRequested
    | ApprovalSettled
    | HoldingReported
    | ReviewDue
)


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Store the intent and send the order; answered by OrderAcknowledged or OrderRefused."""

    order: OrderSpec


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Withdraw an order; answered by OrderEnded with what had been filled.

    Without ``order_id`` its sending was never answered: it is looked up by its client order id, and
    proven absence is answered by OrderRefused (not_placed).
    """

    order_id: str | None
    client_order_id: str


@dataclass(frozen=True, slots=True)
class AmendStop:
    """Change a resting stop in place; answered by StopAmended or AmendRefused."""

    order_id: str
    client_order_id: str | None
    quantity: Decimal
    trigger_price: Decimal


@dataclass(frozen=True, slots=True)
class ExitPosition:
    """Drop the stops and place the exit, as one step.

    The exit's intent is stored first. Each stop is cancelled and its cumulative fill read; what the
    stops filled beyond ``stops_filled_known`` is not sent. Answered by one OrderEnded per stop and
    an answer for the exit (refused as not_placed when the stops had sold everything).
    """

    stop_order_ids: tuple[str, ...]
    stops_filled_known: Decimal
    exit: OrderSpec


@dataclass(frozen=True, slots=True)
class SellPart:
    """Make a stop smaller in place and sell what it no longer covers, as one step.

    The sale's intent is stored first; when the stop cannot be made smaller nothing is sold.
    Answered by StopAmended or AmendRefused, and by OrderAcknowledged or OrderRefused for the sale.
    """

    amend: AmendStop
    order: OrderSpec


@dataclass(frozen=True, slots=True)
class ResolveOrderStatus:
    """Ask the exchange what became of orders whose facts are overdue; changes nothing there.

    Answered completely by the ordinary facts: every execution of each order, OrderEnded for each
    that is final, and for each child of a conditional close ChildAppeared and the same. The next
    ReviewDue follows these answers.
    """

    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestHolding:
    """Ask the exchange what it holds of the pair's base asset; answered by HoldingReported.

    ``own_order_ids`` are the sales of the trade; ``since`` bounds what its ledger is asked for.
    """

    symbol: str
    base: str
    own_order_ids: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class SetWatches:
    """Replace the trade's price watches by these (none: clear them)."""

    watches: tuple[PriceWatch, ...]


@dataclass(frozen=True, slots=True)
class RecordTrade:
    """Write the trade's present figures to the record (and an audit row when ``event`` is set)."""

    event: str | None = None


@dataclass(frozen=True, slots=True)
class ReportToAccount:
    """Tell the account workflow the trade's present figures; ``closed`` ends the trade."""

    closed: bool


TradeCommand = (
    PlaceOrder
    | CancelOrder
    | AmendStop
    | AmendEntry
    | ExitPosition
    | SellPart
    | ResolveOrderStatus
    | RequestHolding
    | RequestApproval
    | SetWatches
    | RecordTrade
    | ReportToAccount
)
