"""The state of one trade: its plan, its orders, its fills and what follows from them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.trading.account.entries.basis import EntryBasis
from models.trading.execution import EntryStyle, ExecutionPolicy
from models.trading.exits.requests import PendingExits
from models.trading.exits.rules import ExitRules
from models.trading.instruments import Instrument
from models.trading.orders import Fill, Leg, OrderSpec, OrderStatus, Side
from models.trading.refusals.repetition import Refused
from models.trading.risk.limits import FeeRates, ProtectionMode
from models.trading.strategies.evidence import EvidenceSource
from models.trading.trade.facts import (
    ExitPosition,
    ExitReason,
    PriceWatch,
    SellPart,
    ShortfallCause,
)
from models.trading.trade.recovery.reopened import Rescue

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
    ``exits`` are the exits beyond stop, target and that distance, None: there are none;
    ``average_true_range`` (at the decision) is what those in its multiples are measured by.
    ``settings_version`` is that of the account's settings it was decided under; ``execution`` is
    how its orders are priced. An entry that does not take at once may pay up to ``entry_ceiling``.
    ``carried`` is the dust that earlier trades of the pair left in the account: it is sold along.
    ``basis`` is on what its worth rests; its result is evidence of ``strategy`` in
    ``strategy_version`` (empty where no strategy wanted it), from ``evidence_source``.
    ``entry_until`` is the market time at which an entry that has not filled is withdrawn.
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
    exits: ExitRules | None = None
    average_true_range: Decimal | None = None
    settings_version: int = 0
    execution: ExecutionPolicy = field(default_factory=ExecutionPolicy)
    entry_style: EntryStyle = EntryStyle.TAKE
    entry_ceiling: Decimal | None = None
    carried: Decimal = ZERO
    basis: EntryBasis = EntryBasis.UNSTATED
    strategy: str = ""
    strategy_version: str = ""
    evidence_source: EvidenceSource = EvidenceSource.SIMULATION
    entry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TradeOrder:
    """One order of the trade as far as the trade knows it.

    ``spec.quantity`` is what was asked for; ``quantity`` and ``trigger_price`` what rests now
    (amends change them). ``order_id`` is None until acknowledged or seen in a fill.

    Attributes:
        amend_quantity: the quantity an amend under way asks for.
        amend_trigger: the trigger an amend under way asks for.
        amend_refusals: quantity amends refused; ``amend_blocked`` until the next review.
        refused_trigger: a trigger the exchange did not take.
        pending_cancel: a cancel is under way.
        ended_quantity: the exchange's cumulative fill when it called the order final.
        gone: the exchange no longer holds it open, but how it ended is not known yet.
        parent_order_id: set on a child of a conditional close, which has no client order id of its
            own; its ``spec.client_order_id`` is then the exchange's id.
        size_known: False while a child is known by its executions only.
        overdue: it began to fill and had not finished when a review came; waiting has an end.
    """

    spec: OrderSpec
    status: OrderStatus
    quantity: Decimal
    order_id: str | None = None
    trigger_price: Decimal | None = None
    filled_quantity: Decimal = ZERO
    reason: str | None = None
    pending_amend: bool = False
    amend_quantity: Decimal | None = None
    amend_trigger: Decimal | None = None
    amend_refusals: int = 0
    amend_blocked: bool = False
    refused_trigger: Decimal | None = None
    pending_cancel: bool = False
    ended_quantity: Decimal | None = None
    gone: bool = False
    parent_order_id: str | None = None
    size_known: bool = True
    overdue: bool = False

    @property
    def remaining(self) -> Decimal:
        """Return what may still fill; zero once the order is final."""
        return ZERO if self.status.is_final else max(ZERO, self.quantity - self.filled_quantity)

    @property
    def awaits_fills(self) -> bool:
        """Tell whether the exchange counted executions that have not arrived here."""
        return self.ended_quantity is not None and self.ended_quantity > self.filled_quantity

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether nobody can say if the order exists."""
        return self.status is OrderStatus.UNKNOWN

    @property
    def is_firing(self) -> bool:
        """Tell whether the order has begun to fill and is expected to finish by itself."""
        return not self.status.is_final and self.filled_quantity > ZERO and not self.overdue


@dataclass(frozen=True, slots=True)
class TradeState:
    """Carry a trade from entry to settlement; replaced, never changed.

    Attributes:
        stop_price: the trigger that stops shall rest at; an amend brings them there.
        trail_from: highest stop price that a trail watch has been set from.
        even_tried_at: price at which the stop was to go to break-even, None before.
        exit_paused: an exit failed; the stop goes back first and the exit waits for a review.
        exit_price: the price that the exit was decided at; ``exit_tries`` of it ended with a rest.
        part_price: the price that the sale of a part was decided at.
        rests_since: market time since which the resting entry has its price.
        entry_limit: that price once it was moved; ``entry_amend`` what an amend asks for.
        entry_moves: how often the bid was looked at; ``entry_crossed`` it may take by now.
        exit_sent: the exit under way with the figures it was computed from.
        stop_refusals: stops refused or lost since one last rested.
        children_requested: what was bought when the exchange was asked for missing attached stops.
        children_missing: bought quantity for which the exchange has no attached stop.
        exits: the exits in force beyond stop, target and the plan's trailing distance.
        partials_taken: partial sales that were asked for.
        sold_target: what all sales together shall reach while a part is to be sold.
        part_leg: for what that part is sold.
        part_sent: the sale of a part under way with the figures it was computed from.
        pending_exits: changes of the exits that wait for a second person.
        stop_lowered: a second person let the stop go down.
        part_failures: sales of the part that came to nothing; ``part_paused`` until a review.
        rescue: the last time that the settled trade was opened again.
        refused: requests that the exchange refused as often as they were sent.
        missing: base units that were bought here and that the exchange does not hold for us.
        missing_since: protocol time since which they are missing unchanged.
        missing_cause: what became of them, as far as the exchange's ledger tells.
        missing_confirmed: the exchange said so again a good while later.
        holding_doubted: the exchange is to be asked what it holds.
        orders_forgotten: refused orders that are not kept any more.
    """

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
    strategy: str = ""
    exit_wanted: bool = False
    entry_cancel_wanted: bool = False
    entry_cancel_reason: ExitReason | None = None
    exit_paused: bool = False
    exit_sent: ExitPosition | None = None
    exit_price: Decimal | None = None
    exit_tries: int = 0
    part_price: Decimal | None = None
    rests_since: datetime | None = None
    entry_limit: Decimal | None = None
    entry_amend: Decimal | None = None
    entry_moves: int = 0
    entry_crossed: bool = False
    stop_refusals: int = 0
    trail_from: Decimal | None = None
    even_tried_at: Decimal | None = None
    children_requested: Decimal | None = None
    children_missing: Decimal = ZERO
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    refusals: tuple[str, ...] = field(default_factory=tuple)
    exits: ExitRules | None = None
    partials_taken: int = 0
    sold_target: Decimal = ZERO
    part_leg: Leg = Leg.PART
    part_sent: SellPart | None = None
    part_failures: int = 0
    part_paused: bool = False
    pending_exits: tuple[PendingExits, ...] = ()
    stop_lowered: bool = False
    rescue: Rescue | None = None
    refused: Refused = ()
    missing: Decimal = ZERO
    missing_since: datetime | None = None
    missing_cause: ShortfallCause | None = None
    missing_confirmed: bool = False
    holding_doubted: bool = False
    orders_forgotten: int = 0

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
        """Return the base quantity held now, with the dust that is to be sold along.

        Dust belongs to the trade from its first execution on: alone it can be neither protected
        nor sold.
        """
        return self.bought + self.swept - self.sold

    @property
    def swept(self) -> Decimal:
        """Return the dust of earlier trades that is sold with this one."""
        return self.plan.carried if self.bought > ZERO else ZERO

    @property
    def sellable(self) -> Decimal:
        """Return what is held by our executions and by the exchange's word as well."""
        if not self.missing:
            return self.held
        return self.plan.instrument.floor_quantity(max(ZERO, self.held - self.missing))

    @property
    def fees(self) -> Decimal:
        """Return all fees so far, in USD."""
        return sum((f.fee for f in self.fills), ZERO)

    @property
    def cash_flow(self) -> Decimal:
        """Return USD received less USD paid, fees included."""
        flow = sum((f.cost if f.side is Side.SELL else -f.cost for f in self.fills), ZERO)
        return flow - self.fees

    @property
    def entry(self) -> TradeOrder:
        """Return the entry order; every trade has exactly one."""
        return self.of_leg(Leg.ENTRY)[0]

    @property
    def live_stops(self) -> tuple[TradeOrder, ...]:
        """Return the stops that are not final, oldest first."""
        return tuple(o for o in self.of_leg(Leg.STOP) if not o.status.is_final)

    @property
    def live_exit(self) -> TradeOrder | None:
        """Return the exit that is under way, if any."""
        return next((o for o in self.of_leg(Leg.EXIT) if not o.status.is_final), None)

    @property
    def live_part(self) -> TradeOrder | None:
        """Return the sale of a part that is under way, if any."""
        return next(
            (o for o in self.orders if o.spec.leg.sells_part and not o.status.is_final), None
        )

    @property
    def awaits_fills(self) -> bool:
        """Tell whether executions are known to exist that have not arrived."""
        return any(o.awaits_fills for o in self.orders)

    @property
    def sales_awaited(self) -> Decimal:
        """Return the base quantity that the exchange counts as sold beyond the sales known here."""
        return sum(
            (
                o.ended_quantity - o.filled_quantity
                for o in self.orders
                if o.spec.side is Side.SELL and o.ended_quantity is not None and o.awaits_fills
            ),
            ZERO,
        )

    @property
    def entry_is_done(self) -> bool:
        """Tell whether the entry is final and all its executions are known."""
        return self.entry.status.is_final and not self.entry.awaits_fills

    @property
    def awaited_children(self) -> Decimal:
        """Return the bought quantity whose attached stop has not been seen yet."""
        if self.plan.protection is not ProtectionMode.ATTACHED:
            return ZERO
        seen = sum((o.spec.quantity for o in self.orders if o.parent_order_id), ZERO)
        return max(ZERO, self.bought - seen - self.children_missing)

    @property
    def is_covered(self) -> bool:
        """Tell whether something is held and all of it is covered by resting stops."""
        return ZERO < self.held <= self.protected_quantity

    @property
    def in_doubt(self) -> tuple[TradeOrder, ...]:
        """Return the orders of which nobody can say whether they exist."""
        return tuple(o for o in self.orders if o.is_in_doubt)

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
    ``strategy`` is known to the account only: whose idea it was, empty when somebody asked for it.
    ``rescue`` is set once the settled trade was opened again.
    ``blocked`` says which of its requests the exchange goes on refusing, empty: none;
    ``unexplained`` are base units bought that the exchange does not hold and nobody explains.
    Of what the hedge did: base units bought back and sold, USD moved, received net of fees, and
    those fees. ``exit_price`` is what each unit that it sold would have brought with the trade's
    own sales since then, None where it sold none. ``dust`` is what a settled trade leaves, too
    little to be sold.
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
    strategy: str = ""
    hedge_bought: Decimal = ZERO
    hedge_sold: Decimal = ZERO
    hedge_turnover: Decimal = ZERO
    hedge_flow: Decimal = ZERO
    hedge_fees: Decimal = ZERO
    by_strategy: bool = False
    exit_price: Decimal | None = None
    rescue: Rescue | None = None
    blocked: str = ""
    unexplained: Decimal = ZERO
    dust: Decimal = ZERO
