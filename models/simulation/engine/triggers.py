"""Stops, take-profits and trailing stops: when they fire and what they become (§8.5).

The reference is the last trade. A fired order enters the book after the step's prints, against
the new book: several prints of one step do not give it a better price than the step ends with.
"""

from decimal import Decimal

from models.simulation.engine.book import PairBook
from models.simulation.engine.orders import Order, OrderKind
from models.simulation.events import ExecutionType
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.prices import offset
from models.trading.orders import Side

_PROFIT_KINDS = (OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT)


def arm(exchange_state: ExchangeState, order: Order) -> bool:
    """Let an order wait for its trigger; one on the wrong side fires at once.

    Returns False when it is on the wrong side and the venue cancels such orders instead.
    """
    book = exchange_state.books[order.symbol]
    if order.kind.is_trailing and book.last is not None:
        _follow(order, book, book.last)
    if (
        book.last is not None
        and is_hit(order, book.last)
        and not exchange_state.is_halted(order.symbol)
    ):
        if not exchange_state.options.wrong_side_stop_fires:
            return False
        fire(exchange_state, order)
        return True
    book.stops.append(order)
    return True


def on_trade(exchange_state: ExchangeState, book: PairBook, price: Decimal) -> None:
    """Take a trade as the new reference: trailing triggers follow, reached ones fire."""
    book.last = price
    if not book.stops:
        return
    for order in tuple(book.stops):
        if order.kind.is_trailing and _follow(order, book, price):
            exchange_state.emit_order(ExecutionType.STATUS, order)
        if is_hit(order, price):
            book.stops.remove(order)
            fire(exchange_state, order)


def is_hit(order: Order, reference: Decimal) -> bool:
    """Tell whether the reference has reached the trigger (reached counts)."""
    if order.trigger_price is None:
        return False
    if falls_to(order):
        return reference <= order.trigger_price
    return reference >= order.trigger_price


def falls_to(order: Order) -> bool:
    """Tell whether the order fires on falling prices: sell stops and buy take-profits."""
    return (order.side is Side.SELL) != (order.kind in _PROFIT_KINDS)


def fire(exchange_state: ExchangeState, order: Order) -> None:
    """Mark an order as triggered and queue it for the book."""
    order.triggered = True
    order.triggered_at = exchange_state.market_time
    if order.kind is OrderKind.TRAILING_STOP_LIMIT:
        assert order.trigger_price is not None
        assert order.price2 is not None
        sign = -1 if order.price2.sign == "-" else 1
        instrument = exchange_state.instrument(order.symbol)
        distance = sign * offset(order.price2, order.trigger_price)
        limit = instrument.nearest_price(order.trigger_price + distance)
        order.limit_price = max(limit, instrument.price_increment)
    order.priority = exchange_state.next_priority()
    exchange_state.emit_order(ExecutionType.STATUS, order)
    exchange_state.incoming.append(order)


def _follow(order: Order, book: PairBook, price: Decimal) -> bool:
    """Move a trailing trigger with a new peak (sell) or trough (buy); tell whether it moved."""
    peak = order.peak_price
    rises = order.side is Side.SELL
    if peak is not None and (price <= peak if rises else price >= peak):
        return False
    assert order.price is not None
    order.peak_price = price
    distance = offset(order.price, price)
    wanted = book.instrument.nearest_price(price - distance if rises else price + distance)
    trigger = max(wanted, book.instrument.price_increment)
    if trigger == order.trigger_price:
        return False
    order.trigger_price = trigger
    return True
