"""How long an order may wait for its turn before its deadline is too near to be sent."""

from datetime import datetime, timedelta

from activities.adapters.kraken.exchange_clock import now
from activities.ports.exchange_errors import RateLimitedError

# Kraken wants a deadline at least 2 s away; a request that cannot make it is not sent at all.
SHORTEST_DEADLINE = timedelta(seconds=2)


def seconds_to_send(deadline: datetime | None) -> float | None:
    """Return how long an order may wait for its turn and still be sent; None: without limit."""
    if deadline is None:
        return None
    return max(0.0, (deadline - now() - SHORTEST_DEADLINE).total_seconds())


def refuse_late(deadline: datetime | None) -> None:
    """Raise RateLimitedError where the exchange would not take an order with this deadline."""
    if deadline is not None and deadline - now() < SHORTEST_DEADLINE:
        raise RateLimitedError("the deadline passed before the order's turn; it was not sent")
