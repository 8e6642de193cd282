"""An execution of an order that was said to be canceled: the exchange corrects itself.

Real exchanges do this when a cancel and a match cross, or when an engine recovers: the order is
told as canceled, and later as filled. Here it happens only when a script asks for it.
"""

from models.simulation.engine.matching import drain, fill_resting
from models.simulation.engine.orders import Order, VenueOrderStatus
from models.simulation.errors import VenueError
from models.simulation.exchange_state import ExchangeState
from models.trading.orders import Side


def fill_canceled(exchange_state: ExchangeState, account: str, symbol: str) -> Order:
    """Fill the rest of the newest canceled limit purchase of a pair, at its limit.

    Its money is no longer held: it is taken from what is available.

    Raises:
        VenueError: there is no such order, or its cost is not available.
    """
    orders = reversed(exchange_state.account(account).orders.values())
    order = next((one for one in orders if one.symbol == symbol and _is_withdrawn(one)), None)
    if order is None:
        raise VenueError("EOrder:Unknown order")
    assert order.limit_price is not None
    quote = exchange_state.instrument(symbol).quote
    if order.remaining * order.limit_price > exchange_state.account(account).available(quote):
        raise VenueError("EOrder:Insufficient funds")
    order.status, order.reason = VenueOrderStatus.OPEN, None
    fill_resting(exchange_state, exchange_state.books[symbol], order, order.remaining)
    drain(exchange_state)
    return order


def _is_withdrawn(order: Order) -> bool:
    canceled = order.status is VenueOrderStatus.CANCELED and order.remaining > 0
    return canceled and order.side is Side.BUY and order.limit_price is not None
