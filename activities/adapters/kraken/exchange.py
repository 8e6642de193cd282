"""One account's view of Kraken: the port ``Exchange`` over signed REST and the private stream."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.adapters.kraken import orders as wire
from activities.adapters.kraken.errors import Operation, undecided
from activities.adapters.kraken.instruments import fee_rates, usd_spot_instruments
from activities.adapters.kraken.nonce import KeyLock
from activities.adapters.kraken.priority_gate import Priority
from activities.adapters.kraken.private_stream import PrivateStream
from activities.adapters.kraken.rate_budget import HISTORY_COST, LOOKUP_COST, RateBudget
from activities.adapters.kraken.stream_memory import StreamMemory
from activities.adapters.kraken.symbols import SymbolTable
from activities.adapters.kraken.transport import Parameter, Transport
from activities.ports import (
    Balance,
    BalanceReport,
    ExecutionReport,
    LedgerEntry,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    StreamGap,
)
from models.trading.instruments import Instrument
from models.trading.limits import FeeRates
from models.trading.orders import Fill, Leg, OrderReport, OrderSpec

_PRIORITIES = {
    Leg.STOP: Priority.PROTECT,
    Leg.EXIT: Priority.EXIT,
    Leg.ENTRY: Priority.ENTRY,
    Leg.HEDGE: Priority.ENTRY,
}
_QUERY_MAXIMUM = 50
_BATCH_MAXIMUM = 50
# Kraken wants a deadline at least 2 s away; a request that cannot make it is not sent at all.
_SHORTEST_DEADLINE = timedelta(seconds=2)


class KrakenExchange:
    """Implement ``ports.Exchange`` for one key. Build with a transport that holds the key."""

    def __init__(
        self,
        transport: Transport,
        budget: RateBudget,
        stream: Callable[["KrakenExchange"], PrivateStream],
        lock: KeyLock | None = None,
    ) -> None:
        self.budget = budget
        self._transport = transport
        self._lock = lock
        self.memory = StreamMemory()
        self._stream = stream(self)
        self._symbols: SymbolTable | None = None
        self._instruments: dict[str, Instrument] = {}

    # --- what can be traded ---------------------------------------------------------------------

    async def instruments(self) -> dict[str, Instrument]:
        """Return the USD spot pairs by symbol, read afresh."""
        pairs = await self._transport.public("AssetPairs")
        assets = await self._transport.public("Assets")
        self._symbols = SymbolTable(pairs, assets)
        self._instruments = usd_spot_instruments(pairs)
        return dict(self._instruments)

    async def symbols(self) -> SymbolTable:
        """Return the table of spellings, read once."""
        if self._symbols is None:
            await self.instruments()
        assert self._symbols is not None
        return self._symbols

    async def fees(self, symbols: Sequence[str]) -> dict[str, FeeRates]:
        """Return the account's real fee rates by symbol (TradeVolume)."""
        table = await self.symbols()
        pairs = [self._instruments[symbol].rest_id for symbol in symbols]
        answer = await self._read("TradeVolume", {"pair": ",".join(pairs)})
        return fee_rates(answer, table)

    async def balances(self) -> dict[str, Balance]:
        """Return totals and holds by asset; zero balances are left out."""
        table = await self.symbols()
        balances: dict[str, Balance] = {}
        for asset, row in (await self._read("BalanceEx")).items():
            name = table.spendable_asset(asset)
            before = balances.get(name, Balance(Decimal(0), Decimal(0)))
            total = before.total + Decimal(str(row["balance"]))
            held = before.held + Decimal(str(row.get("hold_trade", 0)))
            if total or held:
                balances[name] = Balance(total, held)
        return balances

    # --- what changes something -----------------------------------------------------------------

    async def submit(self, order: OrderSpec, deadline: datetime | None) -> str:
        """Send an order once and return its exchange id.

        Raises:
            RateLimitedError: not sent: no room, or none before the deadline.
            OrderRejectedError: refused by us (not USD spot) or by the exchange.
            UnknownOutcomeError: ask with ``find`` before anything is sent again.
        """
        await self.symbols()
        parameters = wire.order_parameters(order, self._instruments.get(order.symbol), deadline)
        priority = _PRIORITIES[order.leg]
        await self.budget.admit_add(order.symbol, priority)
        answer = await self._change(
            "AddOrder",
            parameters,
            Operation.PLACE,
            priority,
            order.symbol,
            lambda: _refuse_late(deadline),
        )
        ids = answer.get("txid") if isinstance(answer, dict) else None
        if not ids:
            raise undecided("AddOrder answered without an order id", Operation.PLACE)
        order_id = str(ids[0])
        self.budget.orders.touch(order_id, order.symbol)
        return order_id

    async def cancel(self, order_id: str) -> None:
        """Cancel one order; OrderGoneError when it is no longer open."""
        await self.budget.admit_cancel(order_id)
        symbol = self.budget.orders.symbol(order_id)
        await self._change(
            "CancelOrder", {"txid": order_id}, Operation.CANCEL, Priority.PROTECT, symbol
        )

    async def cancel_many(self, order_ids: Sequence[str]) -> int:
        """Cancel up to 50 orders in one request and return how many were."""
        if len(order_ids) > _BATCH_MAXIMUM:
            raise ValueError(f"at most {_BATCH_MAXIMUM} orders per request, was {len(order_ids)}")
        if not order_ids:
            return 0
        self.budget.charge_batch_cancel(list(order_ids))
        answer = await self._change(
            "CancelOrderBatch",
            {"orders": list(order_ids)},
            Operation.CANCEL,
            Priority.PROTECT,
            None,
        )
        return int(answer["count"])

    async def amend(
        self, order_id: str, quantity: Decimal | None, trigger_price: Decimal | None
    ) -> None:
        """Change a resting order in place; an order that already stands so is left as it is."""
        parameters: dict[str, Parameter] = {"txid": order_id}
        if quantity is not None:
            parameters["order_qty"] = quantity
        if trigger_price is not None:
            parameters["trigger_price"] = trigger_price
        if len(parameters) == 1:
            return
        await self.budget.admit_amend(order_id, Priority.PROTECT)
        symbol = self.budget.orders.symbol(order_id)
        try:
            await self._change("AmendOrder", parameters, Operation.AMEND, Priority.PROTECT, symbol)
        except OrderRejectedError as refusal:
            if "No amendable parameters" not in refusal.raw:
                raise
        if symbol:
            self.budget.orders.touch(order_id, symbol)

    # --- what asks ------------------------------------------------------------------------------

    async def find(self, order: OrderSpec, since: datetime) -> list[OrderReport]:
        """Ask for an intended order by the id that its type allows: open orders, then closed.

        ``since`` is protocol time and the exchange's times are market time, so it cannot bound the
        question; the id does. A userref is no proof of identity (§10), so pair, side, type and
        volume must agree too, and children of a conditional close, which may inherit it, do not
        count.
        """
        del since
        seen = self.memory.by_client_order_id(order.client_order_id)
        if seen is not None:
            return [seen]
        by: dict[str, Parameter]
        if order.close is None:
            by = {"cl_ord_id": order.client_order_id}
        else:
            by = {"userref": order.userref}
        priority = _PRIORITIES[order.leg]
        answer = await self._read("OpenOrders", {"trades": True, **by}, LOOKUP_COST, priority)
        # What was sent is the quantity on the lot step.
        await self.symbols()
        instrument = self._instruments.get(order.symbol)
        sent = order.quantity if instrument is None else instrument.floor_quantity(order.quantity)
        found = [one for one in await self._reports(answer["open"]) if _is(order, sent, one)]
        if found:
            return found
        pages = self._pages("ClosedOrders", "closed", {"trades": True, **by}, LOOKUP_COST, priority)
        return [
            one
            async for page in pages
            for one in await self._reports(page)
            if _is(order, sent, one)
        ]

    async def ended(self, order_id: str, within: float) -> OrderReport | None:
        """Return how an order ended if the stream tells within these seconds, else None."""
        return await self.memory.ended(order_id, within)

    async def query(self, order_ids: Sequence[str]) -> dict[str, OrderReport]:
        """Return orders by exchange id; ids that the exchange does not know are missing."""
        found: dict[str, OrderReport] = {}
        for first in range(0, len(order_ids), _QUERY_MAXIMUM):
            found.update(await self._query(order_ids[first : first + _QUERY_MAXIMUM]))
        return found

    async def _query(self, order_ids: Sequence[str]) -> dict[str, OrderReport]:
        asked: dict[str, Parameter] = {"txid": ",".join(order_ids), "trades": True}
        try:
            answer = await self._read("QueryOrders", asked, 1.0, Priority.EXIT)
        except OrderGoneError:
            # One unknown id spoils the whole request: halve until only that one is left out.
            if len(order_ids) == 1:
                return {}
            middle = len(order_ids) // 2
            first = await self._query(order_ids[:middle])
            return first | await self._query(order_ids[middle:])
        return {report.order_id: report for report in await self._reports(answer)}

    async def open_orders(self) -> list[OrderReport]:
        """Return every open order on the key."""
        answer = await self._read("OpenOrders", {"trades": True})
        return await self._reports(answer["open"])

    async def closed_orders(self, since: datetime) -> list[OrderReport]:
        """Return orders closed since a market time, all pages, newest first."""
        asked: dict[str, Parameter] = {"trades": True, "closetime": "close", **_start(since)}
        reports: dict[str, OrderReport] = {}
        async for page in self._pages("ClosedOrders", "closed", asked):
            reports.update({report.order_id: report for report in await self._reports(page)})
        recent = [
            order for order in reports.values() if order.closed_at and order.closed_at >= since
        ]
        return sorted(recent, key=lambda order: order.closed_at or since, reverse=True)

    async def fills(self, since: datetime | None) -> list[Fill]:
        """Return executions since a market time (None: all), all pages, oldest first."""
        table = await self.symbols()
        # Merged taker fills would not carry the execution ids that the stream reports.
        asked: dict[str, Parameter] = {"consolidate_taker": False, **_start(since)}
        fills: dict[str, Fill] = {}
        async for page in self._pages("TradesHistory", "trades", asked, HISTORY_COST):
            fills.update(
                {name: wire.fill_from_rest(name, row, table) for name, row in page.items()}
            )
        recent = [fill for fill in fills.values() if since is None or fill.exchange_time >= since]
        return sorted(recent, key=lambda fill: (fill.exchange_time, fill.execution_id))

    async def ledger(self, since: datetime | None) -> list[LedgerEntry]:
        """Return ledger entries since a market time (None: all), oldest first."""
        table = await self.symbols()
        newest_first: dict[str, LedgerEntry] = {}
        async for page in self._pages("Ledgers", "ledger", _start(since), HISTORY_COST):
            for name, row in page.items():
                newest_first.setdefault(name, wire.ledger_entry(name, row, table))
        # Entries of one moment keep the exchange's order, or running balances would not add up.
        oldest_first = list(reversed(newest_first.values()))
        return [entry for entry in oldest_first if since is None or entry.exchange_time >= since]

    async def websocket_token(self) -> str:
        """Return a token for the authenticated WebSocket; good for one connection (§14)."""
        return str((await self._read("GetWebSocketsToken", None, 1.0, Priority.PROTECT))["token"])

    def learn(self, report: OrderReport) -> None:
        """Take what the stream tells of an order."""
        self.budget.orders.learn(report.order_id, report.symbol)
        self.memory.learn(report)

    def executions(self) -> AsyncIterator[ExecutionReport | BalanceReport | StreamGap]:
        """Stream executions and balances; ends only by error or cancellation."""
        return self._stream.events()

    async def close(self) -> None:
        """Release connections and the key's lock."""
        await self._transport.close()
        if self._lock is not None:
            self._lock.release()

    # --- how ------------------------------------------------------------------------------------

    async def _reports(self, rows: Mapping[str, Any]) -> list[OrderReport]:
        table = await self.symbols()
        reports = [wire.report_from_rest(order_id, row, table) for order_id, row in rows.items()]
        for report in reports:
            if not report.status.is_final:
                self.budget.orders.learn(report.order_id, report.symbol)
        return reports

    async def _read(
        self,
        method: str,
        parameters: Mapping[str, Parameter] | None = None,
        cost: float = 1.0,
        priority: Priority = Priority.READ,
    ) -> Any:
        await self.budget.admit_read(cost, priority)
        return await self._counted(
            self._transport.private(method, parameters or {}, Operation.READ, priority), None
        )

    async def _change(
        self,
        method: str,
        parameters: Mapping[str, Parameter],
        operation: Operation,
        priority: Priority,
        symbol: str | None,
        still_wanted: Callable[[], None] | None = None,
    ) -> Any:
        sending = self._transport.private(method, parameters, operation, priority, still_wanted)
        return await self._counted(sending, symbol)

    async def _counted(self, sending: Awaitable[Any], symbol: str | None) -> Any:
        try:
            return await sending
        except RateLimitedError as refusal:
            if refusal.raw:
                self.budget.refused(refusal.raw, symbol)
            raise

    async def _pages(
        self,
        method: str,
        key: str,
        parameters: Mapping[str, Parameter],
        cost: float = 1.0,
        priority: Priority = Priority.READ,
    ) -> AsyncIterator[Mapping[str, Any]]:
        # New rows arrive in front while we page: they repeat older rows, they never hide one.
        seen = 0
        while True:
            answer = await self._read(method, {**parameters, "ofs": seen}, cost, priority)
            rows: Mapping[str, Any] = answer[key]
            if rows:
                yield rows
            seen += len(rows)
            if not rows or seen >= int(answer.get("count", seen + 1)):
                return


def _start(since: datetime | None) -> dict[str, Parameter]:
    # ``start`` is exclusive and whole seconds: ask for a little more and filter here.
    return {} if since is None else {"start": max(0, int(since.timestamp()) - 1)}


def _refuse_late(deadline: datetime | None) -> None:
    if deadline is not None and deadline - datetime.now(UTC) < _SHORTEST_DEADLINE:
        raise RateLimitedError("the deadline passed before the order's turn; it was not sent")


def _is(order: OrderSpec, quantity: Decimal, report: OrderReport) -> bool:
    if order.close is None:
        return report.client_order_id == order.client_order_id
    return (
        report.userref == order.userref
        and report.parent_order_id is None
        and report.symbol == order.symbol
        and report.side is order.side
        and report.order_type is order.order_type
        and report.quantity == quantity
    )
