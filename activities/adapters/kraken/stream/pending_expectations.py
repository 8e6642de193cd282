"""News that must follow from what was told: what no sequence number shows missing.

A lost message is noticed by the number of the next one, and on a quiet account there is no next.
But each trade changes two balances, and each change names the trade (§14.2); and an order that is
filled to the last unit is told to be so (§14.1). What does not follow within a moment was lost.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

from activities.adapters.kraken.errors import UNREADABLE
from activities.adapters.kraken.stream.order_views import OrderViews
from models.trading.orders import OrderReport, OrderStatus

ZERO = Decimal(0)
PATIENCE_SECONDS = 0.3
"""How far two messages about one thing may be apart."""
_REMEMBERED = 1_000

IsTold = Callable[[], bool]


class PendingExpectations:
    """Watches for news that is overdue; each is reported once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: OrderedDict[str, tuple[float, IsTold]] = OrderedDict()
        self._reported: OrderedDict[str, None] = OrderedDict()

    def expect(self, news: str, is_told: IsTold) -> None:
        """Wait for news, named in words; ``is_told`` says whether they have come."""
        if news not in self._reported:
            self._due.setdefault(news, (self._clock() + PATIENCE_SECONDS, is_told))

    def wait_seconds(self) -> float | None:
        """Return how long until the next ones are overdue, None when nothing is expected."""
        self._forget_told()
        first = next(iter(self._due.values()), None)
        return None if first is None else max(0.0, first[0] - self._clock())

    def take_overdue(self) -> list[str]:
        """Return the news that should have come by now."""
        self._forget_told()
        now = self._clock()
        overdue = [news for news, (due, _) in self._due.items() if due <= now]
        for news in overdue:
            del self._due[news]
            self._reported[news] = None
        while len(self._reported) > _REMEMBERED:
            self._reported.popitem(last=False)
        return overdue

    def _forget_told(self) -> None:
        for news in [news for news, (_, is_told) in self._due.items() if is_told()]:
            del self._due[news]


def expect_executions(
    expected: PendingExpectations, views: OrderViews, balances: Mapping[str, Any]
) -> None:
    """Wait for the executions that a message of balances names."""
    for row in balances["data"]:
        with suppress(*UNREADABLE):
            if row.get("type") == "trade":
                trade = str(row["ref_id"])
                is_told = partial(views.knows_execution, trade)
                expected.expect(f"execution {trade}", is_told)


def expect_end(expected: PendingExpectations, views: OrderViews, order: OrderReport) -> None:
    """Wait for the end of an order that is filled to the last unit.

    A trade of a snapshot tells neither how much was ordered nor where its order stands: that is
    said by the order's own entry, which may follow.
    """
    if order.status is OrderStatus.UNKNOWN or order.status.is_final:
        return
    if ZERO < order.quantity <= order.filled_quantity:
        is_told = partial(views.knows_end, order.order_id)
        expected.expect(f"end of {order.order_id}", is_told)
