"""Figures of one trade: what it earned, what it cost, and what it still promises to spend."""

from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading.orders import Leg, OrderSpec, OrderType, Side
from models.trading.trade.facts import ExitReason, ShortfallCause
from models.trading.trade.refusals import blocked_text
from models.trading.trade.state import ZERO, TradePhase, TradeState, TradeSummary

HEDGE_SOURCE = "hedge/"
"""How the source of a trade begins by which the hedge buys back."""

STRATEGY_SOURCE = "idea/"
"""How the source of a trade that a strategy wanted begins."""

MARKET_ENTRY_MARGIN = Decimal("0.01")
"""How far above the reference price a market entry is assumed to pay at worst, as a share.

Twenty times the slippage that sizing assumes: the reserve must hold on a bad day.
"""


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """What a trade came to so far, in USD where not said otherwise.

    Attributes:
        average_entry: average price paid, None before the first fill.
        average_exit: average price received, None before the first sale.
        gross_profit: proceeds less the cost of the quantity sold, before fees.
        fees: all fees.
        net_profit: gross profit less all fees.
        entry_slippage: paid above the reference price, in USD over the bought quantity.
        net_share: net profit as a share of the cost of what was bought (0.01 is one percent).
        unsold: base quantity held and not sold.
    """

    average_entry: Decimal | None
    average_exit: Decimal | None
    gross_profit: Decimal
    fees: Decimal
    net_profit: Decimal
    entry_slippage: Decimal
    net_share: Decimal
    unsold: Decimal


def figures(state: TradeState) -> TradeFigures:
    """Compute a trade's figures from its fills.

    The cost of what was sold is taken at the average entry price, so that an open or dusty
    remainder counts neither as profit nor as loss.
    """
    paid = sum((f.cost for f in state.fills if f.side is Side.BUY), ZERO)
    received = sum((f.cost for f in state.fills if f.side is Side.SELL), ZERO)
    bought, sold = state.bought, state.sold
    # Money is multiplied before it is divided: a fully sold trade then costs exactly what was paid.
    cost_of_sold = paid * sold / bought if bought else ZERO
    gross = received - cost_of_sold
    net = gross - state.fees
    return TradeFigures(
        average_entry=paid / bought if bought else None,
        average_exit=received / sold if sold else None,
        gross_profit=gross,
        fees=state.fees,
        net_profit=net,
        entry_slippage=paid - bought * state.plan.reference_price,
        net_share=net / paid if paid else ZERO,
        unsold=state.held,
    )


def net_share(profit: Decimal, bought: Decimal, average_entry: Decimal) -> Decimal:
    """Return a net profit in USD as a share of what was paid; zero where nothing was."""
    paid = bought * average_entry
    return profit / paid if paid > ZERO else ZERO


def entry_price_bound(entry: OrderSpec, reference_price: Decimal) -> Decimal:
    """Return the most that one unit of an entry can be expected to cost, before fees."""
    if entry.order_type is OrderType.LIMIT and entry.limit_price is not None:
        return entry.limit_price
    return reference_price * (1 + MARKET_ENTRY_MARGIN)


def reserved_cash(state: TradeState) -> Decimal:
    """Return USD that the unfilled rest of the entry may still spend, fees included.

    Executions that the exchange has counted but that are still under way count as unfilled.
    """
    entry, plan = state.entry, state.plan
    rest = entry.quantity
    if entry.status.is_final:
        rest = entry.ended_quantity if entry.ended_quantity is not None else entry.filled_quantity
    open_quantity = max(ZERO, rest - entry.filled_quantity)
    price = max(entry_price_bound(entry.spec, plan.reference_price), plan.entry_ceiling or ZERO)
    return open_quantity * price * (1 + plan.fees.taker)


def summarise(state: TradeState) -> TradeSummary:
    """Return what the account needs to know of a trade."""
    entry = state.of_leg(Leg.ENTRY)[0]
    settled = state.phase is TradePhase.SETTLED
    lost = state.missing_cause is ShortfallCause.UNEXPLAINED
    summary = TradeSummary(
        number=state.plan.number,
        symbol=state.plan.instrument.symbol,
        phase=state.phase,
        bought=state.bought,
        sold=state.sold,
        cash_flow=state.cash_flow,
        fees=state.fees,
        reserved_cash=ZERO if settled else reserved_cash(state),
        stop_price=state.stop_price,
        entry_order_id=entry.order_id,
        entry_client_order_id=entry.spec.client_order_id,
        entry_open=not entry.status.is_final,
        exit_reason=state.exit_reason,
        by_strategy=state.plan.source.startswith(STRATEGY_SOURCE),
        rescue=state.rescue and replace(state.rescue, covered=state.is_covered),
        blocked="" if settled else blocked_text(state),
        unexplained=state.missing if lost else ZERO,
        dust=dust_left(state) if settled else ZERO,
    )
    return _with_hedge(state, summary)


def dust_left(state: TradeState) -> Decimal:
    """Return what a settled trade leaves in the account; nothing bought: all that was carried."""
    if state.bought == ZERO:
        return state.plan.carried
    return max(ZERO, state.held - state.missing)


def _with_hedge(state: TradeState, summary: TradeSummary) -> TradeSummary:
    """Add what the hedge bought with this trade, or sold of it; fees are inside the flow."""
    bought_back = state.plan.source.startswith(HEDGE_SOURCE)
    legs = {Leg.ENTRY} if bought_back else {Leg.HEDGE}
    if not bought_back and state.exit_reason is ExitReason.HEDGE:
        legs.add(Leg.EXIT)
    orders = {o.order_id for o in state.orders if o.spec.leg in legs and o.order_id is not None}
    fills = [f for f in state.fills if f.order_id in orders]
    own = [f for f in state.fills if f.side is Side.SELL and f.order_id not in orders]
    if own:
        sold = sum((f.quantity for f in own), ZERO)
        summary = replace(summary, exit_price=sum((f.cost for f in own), ZERO) / sold)
    if not fills:
        return summary
    sign = -1 if bought_back else 1
    quantity, turnover = sum((f.quantity for f in fills), ZERO), sum((f.cost for f in fills), ZERO)
    fees = sum((f.fee for f in fills), ZERO)
    return replace(
        summary,
        hedge_bought=quantity if bought_back else ZERO,
        hedge_sold=ZERO if bought_back else quantity,
        hedge_turnover=turnover,
        hedge_flow=sign * turnover - fees,
        hedge_fees=fees,
    )
