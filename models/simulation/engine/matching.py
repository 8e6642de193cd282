"""Matching: orders that take, prints that fill what rests, and the new book of a step."""

from decimal import Decimal

from models.simulation.engine.book import PairBook, is_better, opposite
from models.simulation.engine.lifecycle import INSUFFICIENT_FUNDS, after_fill, cancel
from models.simulation.engine.orders import ForceKind, Order, OrderKind, SelfTradePrevention
from models.simulation.engine.triggers import on_trade
from models.simulation.events import PublicTrade
from models.simulation.exchange_state import ExchangeState
from models.simulation.ledger.settlement import book_fill, reserve, walk, worst_price
from models.simulation.steps import Print, SymbolStep
from models.trading.orders import Side

ZERO = Decimal(0)
_SELF_TRADE = "Self trade prevention"


def apply_symbol(exchange_state: ExchangeState, step: SymbolStep) -> None:
    """Let one symbol move: its prints, then its new book, then own orders that it crosses."""
    book = exchange_state.books[step.symbol]
    halted = exchange_state.is_halted(step.symbol)
    before = book.last
    for one in step.prints:
        if halted:
            book.last = one.price
            _publish(exchange_state, book, one.side, one.price, one.quantity, OrderKind.MARKET)
        else:
            _apply_print(exchange_state, book, one)
    book.note_path(before, [one.price for one in step.prints])
    book.replace(step.bids, step.asks)
    exchange_state.emit_book(step.symbol)
    if not halted:
        _fill_crossed(exchange_state, book, Side.BUY)
        _fill_crossed(exchange_state, book, Side.SELL)
        drain(exchange_state)


def drain(exchange_state: ExchangeState) -> None:
    """Let queued orders enter the book one after the other until none is left."""
    while exchange_state.incoming:
        order = exchange_state.incoming.popleft()
        if order.status.is_live:
            _enter(exchange_state, order)


def would_take(exchange_state: ExchangeState, order: Order) -> bool:
    """Tell whether a priced order would match something that rests."""
    best = exchange_state.books[order.symbol].best_price(opposite(order.side))
    assert order.limit_price is not None
    return best is not None and not is_better(opposite(order.side), order.limit_price, best)


def _enter(exchange_state: ExchangeState, order: Order) -> None:
    if exchange_state.is_halted(order.symbol):
        cancel(exchange_state, order, "Market is not open")
    elif not reserve(exchange_state, order):
        cancel(exchange_state, order, INSUFFICIENT_FUNDS)
    elif order.post_only and would_take(exchange_state, order):
        cancel(exchange_state, order, "Post only order")
    elif (
        order.time_in_force is ForceKind.FOK
        and walk(exchange_state, order, ZERO)[0] < order.remaining
    ):
        cancel(exchange_state, order, "Fill or kill")
    else:
        _take(exchange_state, order)
        if order.status.is_live:
            _rest_or_end(exchange_state, order)


def _rest_or_end(exchange_state: ExchangeState, order: Order) -> None:
    if order.limit_price is None:
        cancel(exchange_state, order, "Market price protection")
    elif order.time_in_force in (ForceKind.IOC, ForceKind.FOK):
        cancel(exchange_state, order, "Immediate or cancel")
    else:
        exchange_state.books[order.symbol].join(order)
        exchange_state.emit_book(order.symbol)


def _take(exchange_state: ExchangeState, order: Order) -> None:
    """Match an order against what rests, best price first, up to its worst price."""
    book = exchange_state.books[order.symbol]
    side = opposite(order.side)
    bound = worst_price(exchange_state, order)
    while order.status.is_live and order.remaining:
        price = book.best_price(side)
        if price is None or bound is None or is_better(side, bound, price):
            return
        maker, available = book.front(side, price)
        if maker is not None and maker.account == order.account:
            _prevent_self_trade(exchange_state, order, maker)
            continue
        quantity = min(order.remaining, available)
        if maker is None:
            book.take_others(side, price, quantity)
            price = _taken_at(exchange_state, book, order, price)
        _trade(exchange_state, book, order, maker, price, quantity)


def _taken_at(
    exchange_state: ExchangeState, book: PairBook, order: Order, price: Decimal
) -> Decimal:
    """Return the price that an order takes liquidity of others at.

    Where improvement is off, a limit that the last step passed is the price: in a market of single
    trades the order would have been filled there.
    """
    limit = order.limit_price
    improves = (
        exchange_state.options.improves_past_limit or limit is None or not book.has_passed(limit)
    )
    return price if improves or limit is None else limit


def _prevent_self_trade(exchange_state: ExchangeState, newest: Order, oldest: Order) -> None:
    if newest.self_trade is not SelfTradePrevention.CANCEL_NEWEST:
        cancel(exchange_state, oldest, _SELF_TRADE)
    if newest.self_trade is not SelfTradePrevention.CANCEL_OLDEST:
        cancel(exchange_state, newest, _SELF_TRADE)


def _trade(
    exchange_state: ExchangeState,
    book: PairBook,
    taker: Order,
    maker: Order | None,
    price: Decimal,
    quantity: Decimal,
) -> None:
    trade_id = _publish(exchange_state, book, taker.side, price, quantity, taker.kind)
    exchange_state.emit_book(taker.symbol)
    fills = [(taker, book_fill(exchange_state, taker, price, quantity, trade_id, maker=False))]
    if maker is not None:
        fills.insert(
            0, (maker, book_fill(exchange_state, maker, price, quantity, trade_id, maker=True))
        )
    # The reference moves before children are armed, so that they see the trade that made them.
    on_trade(exchange_state, book, price)
    for order, execution in fills:
        after_fill(exchange_state, order, execution)


def _share(exchange_state: ExchangeState, book: PairBook, quantity: Decimal) -> Decimal:
    """Return what resting orders get at most of a quantity that trades at, or lies across, them."""
    return book.instrument.floor_quantity(quantity * exchange_state.options.resting_share)


def _fill_passed(exchange_state: ExchangeState, book: PairBook, one: Print) -> Decimal:
    """Fill what a print trades through, as far as its volume goes. Return how much that was."""
    most, filled = _share(exchange_state, book, one.quantity), ZERO
    for side in Side:
        while filled < most and (rests := book.resting[side]):
            best = rests[0]
            assert best.limit_price is not None
            if not is_better(side, best.limit_price, one.price):
                break
            quantity = min(best.remaining, most - filled)
            fill_resting(exchange_state, book, best, quantity)
            filled += quantity
    return filled


def _apply_print(exchange_state: ExchangeState, book: PairBook, one: Print) -> None:
    """Fill what the print trades through, then at its price behind the queue, then publish.

    All that rests gets at most its share of the print's volume.
    """
    filled = _fill_passed(exchange_state, book, one)
    most = _share(exchange_state, book, one.quantity) - filled
    one = Print(one.side, one.price, one.quantity - filled)
    left = one.quantity
    side = opposite(one.side)
    while left and (rests := book.resting[side]) and rests[0].limit_price == one.price:
        first = rests[0]
        if first.ahead is None:
            break
        if first.ahead:
            # Prints that the queue swallowed count as others' trade, published with the rest.
            swallowed = min(left, first.ahead)
            book.move_up(side, one.price, swallowed)
            left -= swallowed
            continue
        quantity = min(left, first.remaining, most)
        if quantity <= ZERO:
            break
        fill_resting(exchange_state, book, first, quantity)
        left, most = left - quantity, most - quantity
        one = Print(one.side, one.price, one.quantity - quantity)
    if one.quantity:
        _publish(exchange_state, book, one.side, one.price, one.quantity, OrderKind.MARKET)
        on_trade(exchange_state, book, one.price)


def _fill_crossed(exchange_state: ExchangeState, book: PairBook, side: Side) -> None:
    """Fill own orders that the new book of others crosses, as makers at their own price.

    They get their share of each level across them; the rest of it has met others who rest there.
    """
    while rests := book.resting[side]:
        best = rests[0]
        offer = book.best_of_others(opposite(side))
        assert best.limit_price is not None
        if offer is None or is_better(opposite(side), best.limit_price, offer.price):
            return
        quantity = min(best.remaining, _share(exchange_state, book, offer.quantity))
        whole = quantity < best.remaining
        book.take_others(opposite(side), offer.price, offer.quantity if whole else quantity)
        if quantity > ZERO:
            fill_resting(exchange_state, book, best, quantity)


def fill_resting(
    exchange_state: ExchangeState, book: PairBook, order: Order, quantity: Decimal
) -> None:
    """Execute so much of a priced order at its limit, as the maker, and print it."""
    price = order.limit_price
    assert price is not None
    taker_side = opposite(order.side)
    trade_id = _publish(exchange_state, book, taker_side, price, quantity, OrderKind.MARKET)
    exchange_state.emit_book(order.symbol)
    execution = book_fill(exchange_state, order, price, quantity, trade_id, maker=True)
    on_trade(exchange_state, book, price)
    after_fill(exchange_state, order, execution)


def _publish(
    exchange_state: ExchangeState,
    book: PairBook,
    side: Side,
    price: Decimal,
    quantity: Decimal,
    kind: OrderKind,
) -> int:
    book.last_trade_id += 1
    taker = "limit" if kind.is_priced else "market"
    exchange_state.emit(
        PublicTrade(
            book.instrument.symbol,
            book.last_trade_id,
            side,
            price,
            quantity,
            taker,
            exchange_state.market_time,
        )
    )
    return book.last_trade_id
