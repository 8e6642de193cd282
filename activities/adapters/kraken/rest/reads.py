"""The reads of one key: admitted by its budget, shared where they can be, paged to their end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from activities.adapters.kraken.errors import Operation, reading, was_never_sent
from activities.adapters.kraken.instruments import fee_rates
from activities.adapters.kraken.limits.availability import Availability
from activities.adapters.kraken.limits.priority_gate import Priority
from activities.adapters.kraken.limits.rate_budget import HISTORY_COST, LOOKUP_COST, RateBudget
from activities.adapters.kraken.rest import orders as mapping
from activities.adapters.kraken.rest.coalesced_read import CoalescedRead
from activities.adapters.kraken.rest.transport import Parameter, Transport
from activities.adapters.kraken.symbols import SymbolTable
from activities.ports.exchange import Balance, LedgerEntry
from activities.ports.exchange_errors import ExchangeError, OrderGoneError, RateLimitedError
from models.trading.orders import Fill, OrderReport
from models.trading.risk.limits import FeeRates

QUERY_MAXIMUM = 50
QUERY_TRADES_MAXIMUM = 20

Rows = Mapping[str, Any]
Parameters = Mapping[str, Parameter]


class Reads:
    """Ask about orders and executions with as few requests as possible.

    ``symbols`` gives the table of spellings. Requests that fit several questions are sent once for
    all who wait: see ``CoalescedRead``.
    """

    def __init__(
        self,
        transport: Transport,
        budget: RateBudget,
        symbols: Callable[[], Awaitable[SymbolTable]],
        availability: Availability,
    ) -> None:
        self._transport = transport
        self._budget = budget
        self._availability = availability
        self._symbols = symbols

        async def admit_one(priority: Priority) -> None:
            await self._admit(1.0, priority)

        async def admit_history(priority: Priority) -> None:
            await self._admit(HISTORY_COST, priority)

        self._opened = CoalescedRead[None, list[OrderReport]](admit_one, self._send_open)
        self._closed = CoalescedRead[None, tuple[list[OrderReport], bool]](
            admit_one, self._send_closed
        )
        self._orders = CoalescedRead[str, dict[str, OrderReport]](
            admit_one, self._send_query, QUERY_MAXIMUM
        )
        # Not across urgencies: whoever protects must not wait for the long history of another.
        self._closed_since = {
            priority: CoalescedRead[datetime, list[OrderReport]](admit_one, self._send_closed_since)
            for priority in Priority
        }
        self._fills = CoalescedRead[datetime | None, list[Fill]](admit_history, self._send_fills)
        self._executions = CoalescedRead[str, dict[str, Fill]](
            admit_history, self._send_executions, QUERY_TRADES_MAXIMUM
        )

    async def read(
        self,
        method: str,
        parameters: Parameters | None = None,
        cost: float = 1.0,
        priority: Priority = Priority.READ,
    ) -> Any:
        """Return the result of one read once the budget has room for it."""
        await self._admit(cost, priority)
        return await self._send(method, parameters or {}, priority, cost)

    async def pages(
        self,
        method: str,
        key: str,
        parameters: Parameters,
        cost: float = 1.0,
        priority: Priority = Priority.READ,
        *,
        admitted: bool = False,
    ) -> AsyncIterator[Rows]:
        """Yield the rows page by page; ``admitted`` says that the first was paid for already."""
        # New rows arrive in front while we page: they repeat older rows, they never hide one.
        seen = 0
        while True:
            asked: Parameters = {**parameters, "ofs": seen}
            if seen:
                await self._await_room(cost, priority)
            elif not admitted:
                await self._admit(cost, priority)
            answer = await self._send(method, asked, priority, cost)
            with reading(method):
                rows, count = _page(answer, key, seen)
            if rows:
                yield rows
            seen += len(rows)
            if not rows or seen >= count:
                return

    async def open_orders(self, priority: Priority = Priority.READ) -> list[OrderReport]:
        """Return every open order on the key."""
        return await self._opened.ask([None], priority)

    async def newest_closed(self, priority: Priority) -> tuple[list[OrderReport], bool]:
        """Return the first page of closed orders and whether there are no others."""
        return await self._closed.ask([None], priority)

    async def closed_orders(self, since: datetime, priority: Priority) -> list[OrderReport]:
        """Return orders closed since a market time, newest first."""
        closed = await self._closed_since[priority].ask([since], priority)
        return [one for one in closed if one.closed_at and one.closed_at >= since]

    async def closed_like(
        self, by: Parameters, priority: Priority = Priority.READ
    ) -> list[OrderReport]:
        """Return all closed orders with a client order id or userref."""
        asked: Parameters = {"trades": True, **by}
        pages = self.pages("ClosedOrders", "closed", asked, LOOKUP_COST, priority)
        return [report async for page in pages for report in await self.reports(page)]

    async def orders(self, order_ids: Sequence[str], priority: Priority) -> dict[str, OrderReport]:
        """Return orders by exchange id; unknown ones are missing."""
        found: dict[str, OrderReport] = {}
        for first in range(0, len(order_ids), QUERY_MAXIMUM):
            asked = list(order_ids[first : first + QUERY_MAXIMUM])
            answer = await self._orders.ask(asked, priority)
            found |= {name: answer[name] for name in asked if name in answer}
        return found

    async def fills(self, since: datetime | None, priority: Priority) -> list[Fill]:
        """Return executions since a market time (None: all), oldest first."""
        fills = await self._fills.ask([since], priority)
        return [fill for fill in fills if since is None or fill.exchange_time >= since]

    async def executions(self, execution_ids: Sequence[str], priority: Priority) -> list[Fill]:
        """Return executions by id, oldest first.

        Raises:
            OrderGoneError: one of those asked for, here or by others with it, is unknown.
        """
        found: dict[str, Fill] = {}
        for first in range(0, len(execution_ids), QUERY_TRADES_MAXIMUM):
            asked = list(execution_ids[first : first + QUERY_TRADES_MAXIMUM])
            answer = await self._executions.ask(asked, priority)
            found |= {name: answer[name] for name in asked if name in answer}
        return sorted(found.values(), key=lambda fill: (fill.exchange_time, fill.execution_id))

    async def reports(self, rows: Rows) -> list[OrderReport]:
        """Read rows of orders; open ones teach the budget what their cancel will cost."""
        table = await self._symbols()
        # A row that cannot be read might be the one that is looked for: no answer, not an absence.
        with reading("orders"):
            reports = [mapping.report_from_rest(name, row, table) for name, row in rows.items()]
        for report in reports:
            if not report.status.is_final:
                self._budget.orders.learn(report.order_id, report.symbol)
        return reports

    async def _send_open(self, _: list[None], priority: Priority) -> list[OrderReport]:
        answer = await self._send("OpenOrders", {"trades": True}, priority)
        with reading("OpenOrders"):
            rows, _count = _page(answer, "open", 0)
        return await self.reports(rows)

    async def _send_closed(
        self, _: list[None], priority: Priority
    ) -> tuple[list[OrderReport], bool]:
        answer = await self._send("ClosedOrders", {"trades": True}, priority)
        with reading("ClosedOrders"):
            rows, count = _page(answer, "closed", 0)
        return await self.reports(rows), len(rows) >= count

    async def _send_closed_since(
        self, sinces: list[datetime], priority: Priority
    ) -> list[OrderReport]:
        earliest = min(sinces)
        asked: Parameters = {"trades": True, "closetime": "close", **starting(earliest)}
        reports: dict[str, OrderReport] = {}
        pages = self.pages("ClosedOrders", "closed", asked, priority=priority, admitted=True)
        async for page in pages:
            reports.update({one.order_id: one for one in await self.reports(page)})
        return sorted(reports.values(), key=lambda order: order.closed_at or earliest, reverse=True)

    async def fees(
        self, pairs: Sequence[str], table: SymbolTable, priority: Priority
    ) -> dict[str, FeeRates]:
        """Return the account's fee rates by symbol for pairs by their REST names."""
        answer = await self.read("TradeVolume", {"pair": ",".join(pairs)}, 1.0, priority)
        with reading("TradeVolume"):
            return fee_rates(answer, table)

    async def balances(self, priority: Priority) -> dict[str, Balance]:
        """Return totals and holds by asset; zero balances are left out."""
        table = await self._symbols()
        answer = await self.read("BalanceEx", priority=priority)
        with reading("BalanceEx"):
            return mapping.balances(answer, table)

    async def ledger(
        self, since: datetime | None, kind: str | None, priority: Priority
    ) -> list[LedgerEntry]:
        """Return ledger entries (of one kind) since a market time (None: all), oldest first."""
        table = await self._symbols()
        newest_first: dict[str, LedgerEntry] = {}
        asked = starting(since)
        if kind is not None:
            asked["type"] = kind
        async for page in self.pages("Ledgers", "ledger", asked, HISTORY_COST, priority):
            with reading("Ledgers"):
                for name, row in page.items():
                    newest_first.setdefault(name, mapping.ledger_entry(name, row, table))
        # Entries of one moment keep the exchange's order, or running balances would not add up.
        oldest_first = list(reversed(newest_first.values()))
        return [entry for entry in oldest_first if since is None or entry.exchange_time >= since]

    async def _send_query(self, order_ids: list[str], priority: Priority) -> dict[str, OrderReport]:
        # As with history: a merged taker fill is none of the executions that the stream reports.
        asked: Parameters = {
            "txid": ",".join(order_ids),
            "trades": True,
            "consolidate_taker": False,
        }
        try:
            answer = await self._send("QueryOrders", asked, priority)
        except OrderGoneError:
            # One unknown id spoils the whole request: halve until only that one is left out.
            if len(order_ids) == 1:
                return {}
            middle = len(order_ids) // 2
            await self._budget.admit_read(2.0, priority)
            first = await self._send_query(order_ids[:middle], priority)
            return first | await self._send_query(order_ids[middle:], priority)
        with reading("QueryOrders"):
            rows = _rows(answer)
        return {report.order_id: report for report in await self.reports(rows)}

    async def _send_fills(self, sinces: list[datetime | None], priority: Priority) -> list[Fill]:
        table = await self._symbols()
        bounds = [since for since in sinces if since is not None]
        earliest = min(bounds) if len(bounds) == len(sinces) else None
        # Merged taker fills would not carry the execution ids that the stream reports.
        asked: Parameters = {"consolidate_taker": False, **starting(earliest)}
        fills: dict[str, Fill] = {}
        pages = self.pages("TradesHistory", "trades", asked, HISTORY_COST, priority, admitted=True)
        async for page in pages:
            with reading("TradesHistory"):
                fills.update(
                    {name: mapping.fill_from_rest(name, row, table) for name, row in page.items()}
                )
        return sorted(fills.values(), key=lambda fill: (fill.exchange_time, fill.execution_id))

    async def _send_executions(
        self, execution_ids: list[str], priority: Priority
    ) -> dict[str, Fill]:
        table = await self._symbols()
        asked: Parameters = {"txid": ",".join(execution_ids)}
        answer = await self._send("QueryTrades", asked, priority, HISTORY_COST)
        with reading("QueryTrades"):
            rows = _rows(answer)
            return {name: mapping.fill_from_rest(name, row, table) for name, row in rows.items()}

    async def _admit(self, cost: float, priority: Priority) -> None:
        await self._availability.confirm(change=False)
        await self._budget.admit_read(cost, priority)

    async def _await_room(self, cost: float, priority: Priority) -> None:
        """Wait beyond the budget's patience: to give up here would waste the pages read so far."""
        while True:
            try:
                return await self._admit(cost, priority)
            except RateLimitedError as error:
                await asyncio.sleep(error.retry_after_seconds)

    async def _send(
        self, method: str, parameters: Parameters, priority: Priority, cost: float = 1.0
    ) -> Any:
        try:
            answer = await self._transport.private(method, parameters, Operation.READ, priority)
        except ExchangeError as failure:
            self._availability.failed(failure, change=False)
            if was_never_sent(failure.__cause__):
                self._budget.refund_read(cost)
            if isinstance(failure, RateLimitedError) and failure.raw:
                self._budget.refused(failure.raw, None)
            raise
        self._availability.answered(change=False)
        return answer


def _page(answer: Any, key: str, seen: int) -> tuple[Rows, int]:
    """Return the rows of an answer and how many there are in all, one more when not said."""
    rows = _rows(answer[key])
    count = answer.get("count")
    return rows, seen + len(rows) + 1 if count is None else int(count)


def _rows(found: Any) -> Rows:
    """Return rows by name; an empty list or text is no answer that there are none."""
    if not isinstance(found, Mapping):
        raise TypeError(f"rows by name were {type(found).__name__}")
    return found


def starting(since: datetime | None) -> dict[str, Parameter]:
    """Return the bound of a paged read."""
    # ``start`` is exclusive and whole seconds: ask for a little more; the caller filters.
    return {} if since is None else {"start": max(0, int(since.timestamp()) - 1)}
