"""What the venue is configured with and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.simulation.engine.orders import Order
from models.simulation.errors import VenueError
from models.simulation.events import Event
from models.simulation.gateway.rates import VerificationTier
from models.simulation.steps import Level
from models.trading.universe.fees import FeeSchedule


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """A new account. ``balances`` by v2 asset name; ``volume_30d`` in USD before the start."""

    name: str
    balances: Mapping[str, Decimal]
    tier: VerificationTier = VerificationTier.INTERMEDIATE
    volume_30d: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class VenueOptions:
    """Choices where Kraken's behaviour is uncertain (kraken-protocol §20) and model constants.

    Attributes:
        stops_place_holds: resting stops reserve balance (observed: they do not).
        wrong_side_stop_fires: a stop on the wrong side fires at once; else it is canceled with
            the reason ``Order would trigger immediately``.
        children_inherit_userref: children of a conditional close carry the parent's userref.
        market_protection: a market order takes prices up to this share beyond the best one.
        scheduled_orders_maximum: orders with a future start per account.
        resting_share: share of a print's volume, and of a level that comes to lie across, that
            resting limit orders of the accounts get at most: others rest there as well.
        improves_past_limit: an order may fill better than a limit that the price passed in the
            last step. On candles it may not: a step of theirs leaps over prices at which the order
            would have been filled in a market that moves by single trades.
        schedule: fee schedule of every pair in place of the one in force, for history.
    """

    stops_place_holds: bool = False
    wrong_side_stop_fires: bool = True
    children_inherit_userref: bool = True
    market_protection: Decimal = Decimal("0.05")
    scheduled_orders_maximum: int = 20
    resting_share: Decimal = Decimal("0.25")
    improves_past_limit: bool = True
    schedule: FeeSchedule | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """An order accepted by the gateway. ``txid`` is None when only validated.

    ``order`` is a copy as the engine left it (None when only validated): a post-only order that
    would have taken is already canceled here.
    """

    txid: str | None
    description: str
    close_description: str | None
    order: Order | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class BatchPlacement:
    """Answers to a batch in request order: a placement or the engine's refusal of that row."""

    rows: tuple[Placement | VenueError, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Orders canceled by one request, as copies after the cancel."""

    orders: tuple[Order, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Amendment:
    """An amend done: the order keeps its ids and fills."""

    amend_id: str
    order: Order
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """An edit done: ``placement`` is the new order, ``original`` the canceled one."""

    placement: Placement
    original: Order
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class DeadManSwitch:
    """Times are protocol time; ``triggers_at`` None means disarmed."""

    current: datetime
    triggers_at: datetime | None


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has of one asset. ``held`` is promised to resting orders."""

    total: Decimal
    held: Decimal

    @property
    def available(self) -> Decimal:
        """Return what a new order may use."""
        return self.total - self.held


@dataclass(frozen=True, slots=True)
class TradeBalance:
    """Figures of TradeBalance in USD; without margin the margin figures are zero.

    ``equivalent`` (eb) values every asset at the last trade; ``unexecuted`` (uv) is the value of
    the unexecuted part of open orders; ``free`` (mf) equals equity.
    """

    equivalent: Decimal
    unexecuted: Decimal


@dataclass(frozen=True, slots=True)
class FeeFigures:
    """TradeVolume figures in percent; ``next_*`` are None at the top tier."""

    fee: Decimal
    minimum_fee: Decimal
    maximum_fee: Decimal
    tier_volume: Decimal
    next_fee: Decimal | None
    next_volume: Decimal | None


@dataclass(frozen=True, slots=True)
class BookView:
    """The public book, best first: others' liquidity and own resting orders merged per price."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
