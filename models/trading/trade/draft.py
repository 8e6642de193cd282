"""The decision on one trade fact while it is being made: state so far, commands and events."""

from dataclasses import replace
from typing import Any

from models.trading.identities import client_order_id, userref
from models.trading.orders import Leg, OrderSpec, OrderStatus
from models.trading.trade.facts import TradeCommand
from models.trading.trade.state import TradeOrder, TradeState

REFUSALS_KEPT = 50
"""Texts and refused orders kept with a trade: what is refused for days must not make it grow."""

_NEVER_THERE = (OrderStatus.REJECTED, OrderStatus.NOT_PLACED)


class TradeDraft:
    """Collect what follows from one fact. Lives for the length of one decide call."""

    def __init__(self, state: TradeState) -> None:
        self.state = state
        self.commands: list[TradeCommand] = []
        self.events: list[str] = []

    def change(self, **fields: Any) -> None:
        """Replace fields of the state."""
        self.state = replace(self.state, **fields)

    def add_order(self, order: TradeOrder) -> None:
        """Append an order to the trade."""
        self.change(orders=(*self.state.orders, order))

    def change_order(self, order: TradeOrder, **fields: Any) -> TradeOrder:
        """Replace fields of one order and return it as it is now."""
        name = order.spec.client_order_id
        current = self.state.order(name)
        assert current is not None
        changed = replace(current, **fields)
        orders = tuple(changed if o.spec.client_order_id == name else o for o in self.state.orders)
        self.change(orders=orders)
        return changed

    def send(self, command: TradeCommand) -> None:
        """Add a command; they are carried out in this order."""
        self.commands.append(command)

    def note_event(self, event: str) -> None:
        """Name something that deserves an audit row, once per decision."""
        if event not in self.events:
            self.events.append(event)

    def note_refusal(self, text: str) -> None:
        """Keep what was refused with the trade."""
        self.change(refusals=(*self.state.refusals, text)[-REFUSALS_KEPT:])

    def new_order_ids(self, leg: Leg) -> tuple[str, int]:
        """Return client order id and userref for the next attempt at a leg."""
        plan = self.state.plan
        own = [o for o in self.state.of_leg(leg) if o.parent_order_id is None]
        attempt = len(own) + self.state.orders_forgotten + 1
        name = client_order_id(plan.installation, plan.account, plan.number, leg, attempt)
        return name, userref(name)

    def _forget_refused(self) -> None:
        """Let go of the oldest orders that came to nothing."""
        idle = [o for o in self.state.orders if _came_to_nothing(o)]
        gone = {o.spec.client_order_id for o in idle[: max(0, len(idle) - REFUSALS_KEPT)]}
        if gone:
            kept = tuple(o for o in self.state.orders if o.spec.client_order_id not in gone)
            forgotten = self.state.orders_forgotten + len(gone)
            self.change(orders=kept, orders_forgotten=forgotten)

    def intend(self, spec: OrderSpec) -> TradeOrder:
        """Add an order whose sending is asked for by this decision."""
        self._forget_refused()
        order = TradeOrder(
            spec=spec,
            status=OrderStatus.INTENDED,
            quantity=spec.quantity,
            trigger_price=spec.trigger_price,
        )
        self.add_order(order)
        return order


def _came_to_nothing(order: TradeOrder) -> bool:
    """Tell whether an order never was at the exchange, or was withdrawn unfilled."""
    if order.spec.leg is Leg.ENTRY or order.parent_order_id is not None or order.filled_quantity:
        return False
    if order.order_id is None:
        return order.status in _NEVER_THERE
    return order.status is OrderStatus.CANCELED and order.ended_quantity == 0
