"""A trade as its workflow starts anew from the record, after the one before was ended.

What a trade last wrote down may be older than what was sent for it and than what the exchange has
told since. Both are recorded elsewhere: an intent before its order is sent, an execution when it is
heard of. They are written into the state here; what follows from it, a review decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from models.trading.identities import client_order_id, userref
from models.trading.instruments import Instrument
from models.trading.orders import Fill, Leg, OrderSpec, OrderStatus
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.decision import TradeDecision
from models.trading.trade.draft import TradeDraft
from models.trading.trade.facts import (
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    RecordTrade,
    ReportToAccount,
    ResolveOrderStatus,
    SetWatches,
    TradeCommand,
)
from models.trading.trade.orders import ABSENT, note_acknowledged, note_ended, note_fill
from models.trading.trade.state import TradeOrder, TradePhase, TradePlan, TradeState
from models.trading.universe.fees import BOTTOM_TIER

FALLBACK_STOP_SHARE = Decimal("0.05")
"""How far below the price paid the stop of a trade rests of which the record lost the plan."""

ATTEMPTS_MAXIMUM = 1_000


@dataclass(frozen=True, slots=True)
class RecordedIntent:
    """An order of the trade as recorded; ``is_final`` once the exchange has said how it ended."""

    spec: OrderSpec
    status: OrderStatus
    order_id: str | None
    parent_order_id: str | None
    quantity: Decimal
    trigger_price: Decimal | None
    filled_quantity: Decimal
    reason: str | None
    at: datetime


def brought_up_to_date(
    state: TradeState, orders: Sequence[RecordedIntent], fills: Sequence[Fill]
) -> TradeState:
    """Write what the record knows of a trade's orders and executions into its state."""
    draft = TradeDraft(state)
    for order in orders:
        _note_order(draft, order)
    _fill_gaps(draft)
    names = {o.order_id: o for o in orders if o.order_id is not None}
    for fill in fills:
        own = names.get(fill.order_id)
        name = own.spec.client_order_id if own and own.parent_order_id is None else None
        parent = own.parent_order_id if own else None
        note_fill(draft, FillReported(fill, name, parent))
    for order in orders:
        if order.status.is_final and order.order_id is not None:
            note_ended(draft, _ended(order, order.order_id))
    # A watch that was reached meanwhile told nobody; under new names all are looked at again.
    return replace(draft.state, watches=())


def take_up(state: TradeState) -> TradeDecision:
    """Return what a restored trade does first; a review that is due afterwards does the rest."""
    open_ids = tuple(o.order_id for o in state.orders if o.order_id and not o.status.is_final)
    commands: list[TradeCommand] = [
        RecordTrade("trade_restored"),
        ReportToAccount(closed=state.phase is TradePhase.SETTLED),
        SetWatches(state.watches),
    ]
    if open_ids:
        commands.append(ResolveOrderStatus(open_ids))
    return TradeDecision(state, tuple(commands))


def fallback_plan(
    installation: str,
    instrument: Instrument,
    entry: RecordedIntent,
    price: Decimal,
    stop_price: Decimal | None,
) -> TradePlan:
    """Return a plan for an entry of which nothing but the intent is recorded.

    Its stop is the one that the account or the order knew, else a share below the price paid.
    """
    attached = entry.spec.close
    stop = stop_price or (attached.trigger_price if attached else None)
    stop = stop or instrument.floor_price(price * (1 - FALLBACK_STOP_SHARE))
    return TradePlan(
        account=entry.spec.account,
        number=entry.spec.trade,
        installation=installation,
        instrument=instrument,
        protection=ProtectionMode.ATTACHED if attached else ProtectionMode.SEPARATE,
        entry=entry.spec,
        stop_price=stop,
        take_profit_price=None,
        trailing_distance=None,
        fees=BOTTOM_TIER,
        reference_price=price,
        source=f"restored/{entry.spec.trade}",
        decided_at=entry.at,
        requested_at=entry.at,
    )


def _note_order(draft: TradeDraft, order: RecordedIntent) -> None:
    name, order_id = order.spec.client_order_id, order.order_id
    known = draft.state.order(name) or next(
        (o for o in draft.state.orders if order_id is not None and o.order_id == order_id), None
    )
    if known is None:
        # How it ended is written down after its executions, which a final order takes no more of.
        unsent = order.order_id is None
        status = OrderStatus.INTENDED if unsent else OrderStatus.OPEN
        if order.status in ABSENT:
            status = order.status
        draft.add_order(
            TradeOrder(
                spec=order.spec,
                status=status,
                quantity=order.quantity,
                order_id=order_id,
                trigger_price=order.trigger_price,
                reason=order.reason,
                parent_order_id=order.parent_order_id,
            )
        )
        if order.spec.leg is Leg.EXIT and not order.status.is_final:
            reason = draft.state.exit_reason or ExitReason.REQUESTED
            draft.change(exit_wanted=True, exit_reason=reason)
    elif order_id is not None and order.parent_order_id is None:
        note_acknowledged(draft, OrderAcknowledged(name, order_id, order.at))


def _fill_gaps(draft: TradeDraft) -> None:
    """Name every earlier attempt at a leg: the next one's id follows from how many there are."""
    plan = draft.state.plan
    for leg in Leg:
        own = {o.spec.client_order_id: o for o in draft.state.of_leg(leg) if not o.parent_order_id}
        attempt, missing, left = 0, [], set(own)
        while left and attempt < ATTEMPTS_MAXIMUM:
            attempt += 1
            name = client_order_id(plan.installation, plan.account, plan.number, leg, attempt)
            if name in own:
                left.discard(name)
            else:
                missing.append(name)
        if left:
            continue
        for name in missing:
            like = next(iter(own.values()))
            spec = replace(like.spec, client_order_id=name, userref=userref(name))
            unsent = TradeOrder(spec, OrderStatus.NOT_PLACED, spec.quantity, reason="never sent")
            draft.add_order(unsent)


def _ended(order: RecordedIntent, order_id: str) -> OrderEnded:
    return OrderEnded(
        order_id=order_id,
        status=order.status,
        filled_quantity=order.filled_quantity,
        reason=order.reason,
        at=order.at,
        client_order_id=order.spec.client_order_id if order.parent_order_id is None else None,
        parent_order_id=order.parent_order_id,
    )
