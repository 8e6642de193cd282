"""What the private stream has told of orders, so that the scarce read budget is not spent on it.

Only what cannot change is answered from here: that an order exists, and how a final one ended.
Absence proves nothing; it must be asked for by REST.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from models.trading.orders import OrderReport

_REMEMBERED = 5_000


class OrderCache:
    """The newest report of each order seen on the stream, by its ids."""

    def __init__(self) -> None:
        self._reports: OrderedDict[str, OrderReport] = OrderedDict()
        self._looking: dict[asyncio.Future[OrderReport], Callable[[OrderReport], bool]] = {}
        self._waiting: dict[str, asyncio.Event] = {}

    def learn(self, report: OrderReport) -> None:
        """Take a report; a final one wakes whoever waits for its end."""
        self._reports[report.order_id] = report
        self._reports.move_to_end(report.order_id)
        if report.status.is_final and report.order_id in self._waiting:
            self._waiting[report.order_id].set()
        for arrival, is_wanted in self._looking.items():
            if not arrival.done() and is_wanted(report):
                arrival.set_result(report)
        while len(self._reports) > _REMEMBERED:
            self._reports.popitem(last=False)

    def of(self, order_id: str) -> OrderReport | None:
        """Return the newest report of an order, None when the stream never told of it."""
        return self._reports.get(order_id)

    def first(self, is_wanted: Callable[[OrderReport], bool]) -> OrderReport | None:
        """Return the newest order that is wanted, None when the stream never told of one."""
        return next((one for one in reversed(self._reports.values()) if is_wanted(one)), None)

    async def appeared(
        self, is_wanted: Callable[[OrderReport], bool], within: float
    ) -> OrderReport | None:
        """Return an order that is wanted, None when none has come within these seconds."""
        if (known := self.first(is_wanted)) is not None:
            return known
        arrival: asyncio.Future[OrderReport] = asyncio.get_running_loop().create_future()
        self._looking[arrival] = is_wanted
        try:
            async with asyncio.timeout(within):
                return await arrival
        except TimeoutError:
            return None
        finally:
            del self._looking[arrival]

    async def ended(self, order_id: str, within: float) -> OrderReport | None:
        """Return the final report of an order, None when it has not come within these seconds."""
        known = self._reports.get(order_id)
        if known is not None and known.status.is_final:
            return known
        arrived = self._waiting.setdefault(order_id, asyncio.Event())
        try:
            async with asyncio.timeout(within):
                await arrived.wait()
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(order_id, None)
        return self._reports.get(order_id)
