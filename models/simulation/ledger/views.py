"""What the exchange shows: the public book, balances with holds, the figures of TradeBalance."""

from decimal import Decimal

from models.simulation.engine.book import PairBook
from models.simulation.engine.orders import Order
from models.simulation.exchange_state import ExchangeState
from models.simulation.ledger.accounts import AccountBook
from models.simulation.outcomes import Balance, BookView, TradeBalance
from models.simulation.steps import Level
from models.trading.orders import Side

ZERO = Decimal(0)


def view_book(book: PairBook, depth: int | None) -> BookView:
    """Return the public book, best first, cut to ``depth`` levels a side."""
    symbol = book.instrument.symbol
    bids = _side(book, Side.BUY, depth)
    asks = _side(book, Side.SELL, depth)
    return BookView(symbol, bids, asks)


def view_order(order: Order) -> Order:
    """Return an order that later changes do not reach: one that is done never changes again."""
    return order.copy() if order.status.is_live else order


def view_balances(account: AccountBook) -> dict[str, Balance]:
    """Return totals and holds by v2 asset name."""
    return {
        asset: Balance(total, account.holds.get(asset, ZERO))
        for asset, total in account.balances.items()
    }


def view_trade_balance(exchange_state: ExchangeState, account: AccountBook) -> TradeBalance:
    """Value the account in USD at last trades; an asset without a price counts nothing."""
    equivalent = ZERO
    for asset, total in account.balances.items():
        book = exchange_state.books.get(f"{asset}/USD")
        price = Decimal(1) if asset == "USD" else book.last if book else None
        equivalent += total * price if price is not None else ZERO
    unexecuted = ZERO
    for order in account.live.values():
        price = order.limit_price or order.trigger_price or exchange_state.books[order.symbol].last
        unexecuted += order.remaining * price if price is not None else ZERO
    return TradeBalance(equivalent, unexecuted)


def _side(book: PairBook, side: Side, depth: int | None) -> tuple[Level, ...]:
    """Merge others and own resting orders per price; icebergs show their visible part only."""
    consumed = book.consumed[side]
    own = book.resting[side]
    if not own and not consumed:
        return book.others[side][:depth]
    merged = {x.price: x.quantity - consumed.get(x.price, ZERO) for x in book.others[side]}
    for order in own:
        assert order.limit_price is not None
        shown = min(order.remaining, order.display_volume or order.remaining)
        merged[order.limit_price] = merged.get(order.limit_price, ZERO) + shown
    prices = sorted(merged, reverse=side is Side.BUY)
    levels = tuple(Level(price, merged[price]) for price in prices if merged[price] > ZERO)
    return levels[:depth]
