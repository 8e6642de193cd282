"""What the private stream has told of orders, so that the scarce read budget is not spent on it.

Only what cannot change is answered from here: that an order exists, and how a final one ended.
Absence proves nothing; it must be asked for by REST.
"""

import asyncio
from collections import OrderedDict

from models.trading.orders import OrderReport

_REMEMBERED = 5_000


class StreamMemory:
    """The newest report of each order seen on the stream, by its ids."""

    def __init__(self) -> None:
        self._reports: OrderedDict[str, OrderReport] = OrderedDict()
        self._by_client: dict[str, str] = {}
        self._waiting: dict[str, asyncio.Event] = {}

    def learn(self, report: OrderReport) -> None:
        """Take a report; a final one wakes whoever waits for its end."""
        self._reports[report.order_id] = report
        self._reports.move_to_end(report.order_id)
        if report.client_order_id is not None:
            self._by_client[report.client_order_id] = report.order_id
        if report.status.is_final and report.order_id in self._waiting:
            self._waiting[report.order_id].set()
        while len(self._reports) > _REMEMBERED:
            _, oldest = self._reports.popitem(last=False)
            self._by_client.pop(oldest.client_order_id or "", None)

    def by_client_order_id(self, client_order_id: str) -> OrderReport | None:
        """Return the order with this client order id, None when the stream never told of it."""
        order_id = self._by_client.get(client_order_id)
        return None if order_id is None else self._reports[order_id]

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
