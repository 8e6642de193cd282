"""Which orders on an exchange key look like those of another instance of the platform.

Two instances with one key, a copied installation for one, take each other's coins for their own.
A lock keeps a second one away on the same machine; of one elsewhere only the exchange tells.
"""

from uuid import UUID

from models.trading.orders import OrderReport

DERIVED = 5
"""Version of the UUIDs that are derived from names: ours are (``identities``)."""
SMALLEST_TAG = 1_000_000
"""Tags of ours are digests of 31 bits; below this a number may have been counted by a person."""


def looks_like_ours(order: OrderReport) -> bool:
    """Tell whether an order carries an id of the form that the platform gives its orders.

    An order with a conditional close cannot carry a client order id, only a tag; its children are
    known by their parent and tell nothing.
    """
    if order.parent_order_id is not None:
        return False
    if order.client_order_id is None:
        return order.userref is not None and order.userref >= SMALLEST_TAG
    try:
        return UUID(order.client_order_id).version == DERIVED
    except ValueError:
        return False
