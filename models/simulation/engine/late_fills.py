"""An execution of an order that was said to be canceled: the exchange corrects itself.

Real exchanges do this when a cancel and a match cross, or when an engine recovers: the order is
told as canceled, and later as filled. Here it happens only when a script asks for it.
"""

from models.simulation.core import Core
from models.simulation.engine.matching import drain, fill_resting
from models.simulation.engine.orders import Order, VenueOrderStatus
from models.simulation.errors import VenueError
from models.trading.orders import Side


def fill_canceled(core: Core, account: str, symbol: str) -> Order:
    """Fill the rest of the newest canceled limit purchase of a pair, at its limit.

    Its money is no longer held: it is taken from what is available.

    Raises:
        VenueError: there is no such order, or its cost is not available.
    """
    orders = reversed(core.account(account).orders.values())
    order = next((one for one in orders if one.symbol == symbol and _is_withdrawn(one)), None)
    if order is None:
        raise VenueError("EOrder:Unknown order")
    assert order.limit_price is not None
    quote = core.instrument(symbol).quote
    if order.remaining * order.limit_price > core.account(account).available(quote):
        raise VenueError("EOrder:Insufficient funds")
    order.status, order.reason = VenueOrderStatus.OPEN, None
    fill_resting(core, core.books[symbol], order, order.remaining)
    drain(core)
    return order


def _is_withdrawn(order: Order) -> bool:
    canceled = order.status is VenueOrderStatus.CANCELED and order.remaining > 0
    return canceled and order.side is Side.BUY and order.limit_price is not None
