"""Figures of one trade: what it earned, what it cost, and what it still promises to spend."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading.orders import Fill, Leg, OrderSpec, OrderType, Side
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
    legs = {Leg.HEDGE}
    if state.exit_reason is ExitReason.HEDGE:
        legs.add(Leg.EXIT)
    sold = _executed(state, legs)
    # What it bought back it may sell again, and buy back once more.
    bought = _executed(state, {Leg.ENTRY}) if state.plan.source.startswith(HEDGE_SOURCE) else ()
    if not (bought or sold):
        return summary
    fees = sum((f.fee for f in (*bought, *sold)), ZERO)
    spent, brought = (sum((f.cost for f in fills), ZERO) for fills in (bought, sold))
    return replace(
        summary,
        hedge_bought=sum((f.quantity for f in bought), ZERO),
        hedge_sold=sum((f.quantity for f in sold), ZERO),
        hedge_turnover=spent + brought,
        hedge_flow=brought - spent - fees,
        hedge_fees=fees,
        exit_price=_price_without_hedge(state, sold),
    )


def _executed(state: TradeState, legs: AbstractSet[Leg]) -> tuple[Fill, ...]:
    orders = {o.order_id for o in state.orders if o.spec.leg in legs and o.order_id is not None}
    return tuple(f for f in state.fills if f.order_id in orders)


def _price_without_hedge(state: TradeState, sold: tuple[Fill, ...]) -> Decimal | None:
    """Return what the units that the hedge sold would have brought each, before fees.

    They would have gone with what the trade sold from then on, the same share of them at each
    price: a part sold before took none along. Where nothing was sold afterwards, the hedge's own
    price is what is known.
    """
    held, sales = ZERO, []
    for fill in sorted(state.fills, key=lambda f: (f.exchange_time, f.side is Side.SELL)):
        if fill.side is Side.SELL:
            sales.append((fill, held))
        held += fill.quantity if fill.side is Side.BUY else -fill.quantity
    later: Decimal | None = None
    units = brought = ZERO
    for fill, before in reversed(sales):
        price = fill.cost / fill.quantity
        if fill in sold:
            units += fill.quantity
            brought += fill.quantity * (price if later is None else later)
        else:
            share = fill.quantity / max(before, fill.quantity)
            later = price if later is None else share * price + (1 - share) * later
    return brought / units if units else None
