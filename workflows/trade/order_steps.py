"""How a trade's order commands are carried out: which activity, under which task's name."""

from collections.abc import Awaitable, Callable

from temporalio import workflow

from activities.execution.entry_amends import EntryAmendActivities
from activities.execution.holding import HoldingActivities
from activities.execution.orders import OrderActivities
from activities.policies import ORDER
from models.contracts.orders import (
    EntryToAmend,
    HoldingRequest,
    OrderStatusRequest,
    OrderToCancel,
    PositionToExit,
    SellPartialExit,
    StopToAmend,
    SubmitOrder,
)
from models.trading.risk.limits import ProtectionMode
from models.trading.trade.entry_facts import AmendEntry
from models.trading.trade.facts import (
    AmendStop,
    CancelOrder,
    ExitPosition,
    PlaceOrder,
    RequestHolding,
    ResolveOrderStatus,
    SellPart,
    TradeFact,
)
from models.trading.trade.state import TradeState

OrderCommand = (
    PlaceOrder
    | CancelOrder
    | AmendStop
    | AmendEntry
    | ExitPosition
    | SellPart
    | ResolveOrderStatus
    | RequestHolding
)
Step = Callable[[], Awaitable[tuple[TradeFact, ...]]]


def order_task(command: OrderCommand, state: TradeState) -> tuple[str, Step]:
    """Return the name of the task, which keeps it from running twice at once, and its step."""
    match command:
        case PlaceOrder(order=order):
            return f"order/{order.client_order_id}", lambda: _place(command)
        case ExitPosition(exit=order):
            return f"order/{order.client_order_id}", lambda: _exit(command)
        case SellPart(order=order):
            return f"order/{order.client_order_id}", lambda: _sell_part(command)
        case CancelOrder(client_order_id=name):
            return f"cancel/{name}", lambda: _cancel(command, state)
        case AmendStop(order_id=order_id):
            return f"amend/{order_id}", lambda: _amend(command, state)
        case AmendEntry(order_id=order_id):
            return f"amend/{order_id}", lambda: _amend_entry(command, state)
        case ResolveOrderStatus():
            return "ask", lambda: _ask(command, state)
        case RequestHolding():
            return "holding", lambda: _request_holding(command, state)


async def _place(command: PlaceOrder) -> tuple[TradeFact, ...]:
    request = SubmitOrder(command.order, workflow.now())
    placed = await workflow.execute_activity_method(OrderActivities.place_order, request, **ORDER)
    return placed.facts


async def _exit(command: ExitPosition) -> tuple[TradeFact, ...]:
    request = PositionToExit(command, workflow.now())
    done = await workflow.execute_activity_method(OrderActivities.exit_position, request, **ORDER)
    return done.facts


async def _sell_part(command: SellPart) -> tuple[TradeFact, ...]:
    request = SellPartialExit(command, workflow.now())
    done = await workflow.execute_activity_method(OrderActivities.sell_part, request, **ORDER)
    return done.facts


async def _cancel(command: CancelOrder, state: TradeState) -> tuple[TradeFact, ...]:
    known = state.order(command.client_order_id)
    request = OrderToCancel(
        account=state.plan.account,
        order_id=command.order_id,
        client_order_id=command.client_order_id,
        order=known.spec if known is not None else None,
        intended_at=state.plan.requested_at,
    )
    done = await workflow.execute_activity_method(OrderActivities.cancel_order, request, **ORDER)
    return done.facts


async def _amend(command: AmendStop, state: TradeState) -> tuple[TradeFact, ...]:
    request = StopToAmend(state.plan.account, command)
    done = await workflow.execute_activity_method(OrderActivities.amend_stop, request, **ORDER)
    return done.facts


async def _amend_entry(command: AmendEntry, state: TradeState) -> tuple[TradeFact, ...]:
    request = EntryToAmend(state.plan.account, command, state.plan.instrument.symbol)
    done = await workflow.execute_activity_method(
        EntryAmendActivities.amend_entry, request, **ORDER
    )
    return done.facts


async def _ask(command: ResolveOrderStatus, state: TradeState) -> tuple[TradeFact, ...]:
    plan = state.plan
    attached = plan.protection is ProtectionMode.ATTACHED
    request = OrderStatusRequest(plan.account, plan.number, command.order_ids, attached)
    answered = await workflow.execute_activity_method(
        OrderActivities.resolve_order_status, request, **ORDER
    )
    return answered.facts


async def _request_holding(command: RequestHolding, state: TradeState) -> tuple[TradeFact, ...]:
    request = HoldingRequest(state.plan.account, state.plan.number, command)
    told = await workflow.execute_activity_method(
        HoldingActivities.request_holding, request, **ORDER
    )
    return (told,)
