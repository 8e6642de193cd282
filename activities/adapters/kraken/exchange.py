"""One account's view of Kraken: the port ``Exchange`` over signed REST and the private stream."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.adapters.kraken.errors import Operation, reading, undecided
from activities.adapters.kraken.exchange_clock import ExchangeClock, now
from activities.adapters.kraken.limits.availability import Availability
from activities.adapters.kraken.limits.deadlines import refuse_late, seconds_to_send
from activities.adapters.kraken.limits.priority_gate import Priority
from activities.adapters.kraken.limits.rate_budget import RateBudget
from activities.adapters.kraken.pair_rules import PairRules, smells_of_stale_rules
from activities.adapters.kraken.rest import orders as mapping
from activities.adapters.kraken.rest.absence import AbsenceProofs, Side, is_order
from activities.adapters.kraken.rest.nonce import KeyLock
from activities.adapters.kraken.rest.reads import Reads
from activities.adapters.kraken.rest.signing import Signing
from activities.adapters.kraken.rest.transport import Parameter, Transport
from activities.adapters.kraken.stream.order_cache import OrderCache
from activities.adapters.kraken.stream.private_stream import PrivateStream
from activities.adapters.kraken.symbols import SymbolTable
from activities.ports.exchange import (
    Balance,
    BalanceReport,
    ExecutionReport,
    LedgerEntry,
    SentOrder,
    StreamGap,
)
from activities.ports.exchange_errors import (
    CoolingDown,
    ExchangeError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from models.trading.instruments import Instrument
from models.trading.orders import Fill, Leg, OrderReport, OrderSpec
from models.trading.risk.limits import FeeRates, Mode

# Exits and sales of a part have waited for room as exits before their stop was dropped
# (`room_for_exit`); now nothing but the sale itself, or the stop put back, ends the exposure.
_PRIORITIES = {
    Leg.STOP: Priority.PROTECT,
    Leg.EXIT: Priority.PROTECT,
    Leg.ENTRY: Priority.ENTRY,
    Leg.PART: Priority.PROTECT,
    Leg.HEDGE: Priority.EXIT,
}
_BATCH_MAXIMUM = 50


class KrakenExchange:
    """Implement ``ports.Exchange`` for one key. Build with a transport that holds the key."""

    def __init__(
        self,
        transport: Transport,
        budget: RateBudget,
        stream: Callable[["KrakenExchange"], PrivateStream],
        lock: KeyLock | None = None,
        mode: Mode = Mode.SIMULATED,
        rules: PairRules | None = None,
    ) -> None:
        self.mode = mode
        self.budget = budget
        self.rules = rules or PairRules(transport.public)
        self._transport = transport
        self.signing = Signing(transport, lock)
        self.memory = OrderCache()
        self.clock = ExchangeClock()
        self._stream = stream(self)
        self._proofs = AbsenceProofs(self._stream)
        self._availability = Availability(
            transport.is_there, refuse=lambda urgent: transport.refuse_while_cooling(urgent=urgent)
        )
        self._reads = Reads(transport, budget, self.symbols, self._availability)
        self._highest, self._lowest = Priority.PROTECT, Priority.BACKGROUND

    # --- what can be traded ---------------------------------------------------------------------

    async def instruments(self) -> dict[str, Instrument]:
        """Return the USD spot pairs by symbol, read afresh; those gone are ``delisted``."""
        await self.rules.read()
        return dict(self.rules.instruments)

    async def symbols(self) -> SymbolTable:
        """Return the table of spellings, read again when the rules of the pairs are doubted."""
        return await self.rules.table()

    async def fees(self, symbols: Sequence[str]) -> dict[str, FeeRates]:
        """Return the account's real fee rates by symbol (TradeVolume).

        Pairs that are not listed are left out: one of them would have the question refused.
        """
        table = await self.symbols()
        listed = self.rules.listed
        pairs = [listed[symbol].rest_id for symbol in symbols if symbol in listed]
        if not pairs:
            return {}
        return await self._reads.fees(pairs, table, self._at_most(Priority.READ))

    async def balances(self) -> dict[str, Balance]:
        """Return totals and holds by asset; zero balances are left out."""
        return await self._reads.balances(self._at_most(Priority.READ))

    # --- what changes something -----------------------------------------------------------------

    async def submit(self, order: OrderSpec, deadline: datetime | None) -> str:
        """Send an order once and return its exchange id.

        Raises:
            RateLimitedError: not sent: no room, or none before the deadline.
            OrderRejectedError: refused by us (not USD spot) or by the exchange.
            UnknownOutcomeError: ask with ``find`` before anything is sent again.
        """
        instrument = await self._instrument(order.symbol)
        theirs = None if deadline is None else self.clock.theirs(deadline)
        parameters = mapping.order_parameters(order, instrument, theirs)
        priority = _PRIORITIES[order.leg]
        await self._availability.confirm(change=True, urgent=priority is Priority.PROTECT)
        await self.budget.admit_add(order.symbol, priority, seconds_to_send(deadline))
        sent_at = now()
        try:
            answer = await self._change(
                "AddOrder",
                parameters,
                Operation.PLACE,
                priority,
                order.symbol,
                lambda: refuse_late(deadline),
            )
        except UnknownOutcomeError as failure:
            if "Deadline elapsed" in failure.raw:
                await self.clock.ask(self._transport.public)
            raise
        ids = answer.get("txid") if isinstance(answer, dict) else None
        order_id = next(iter(ids), None) if isinstance(ids, list) else ids
        if not isinstance(order_id, str) or not order_id:
            raise undecided("AddOrder answered without an order id", Operation.PLACE)
        self.budget.orders.touch(order_id, order.symbol)
        self._proofs.note_sent(order_id, sent_at)
        return order_id

    async def room_for_exit(self, symbol: str, stop_ids: Sequence[str]) -> None:
        """Wait until the rate limits leave room to drop the stops, sell, and put a stop back.

        Raises:
            RateLimitedError: there is none for longer than patience lasts.
            OrderRejectedError: the pair is known to take no sale at market now (§13, ``status``).
        """
        instrument = await self._instrument(symbol)
        if instrument is not None and not instrument.takes_market_orders:
            self.rules.suspect(f"{symbol} is {instrument.status.value}")
            instrument = await self._instrument(symbol)
            if instrument is not None and not instrument.takes_market_orders:
                words = f"EService:Market in {instrument.status.value} mode"
                raise OrderRejectedError(words, words)
        await self.budget.await_room_for_exit(symbol, stop_ids)

    async def cancel(self, order_id: str) -> None:
        """Cancel one order; OrderGoneError when it is no longer open."""
        await self._availability.confirm(change=True, urgent=True)
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
        await self._availability.confirm(change=True, urgent=True)
        self.budget.charge_batch_cancel(list(order_ids))
        answer = await self._change(
            "CancelOrderBatch",
            {"orders": list(order_ids)},
            Operation.CANCEL,
            Priority.PROTECT,
            None,
        )
        with reading("CancelOrderBatch", Operation.CANCEL):
            return int(answer["count"])

    async def amend(
        self, order_id: str, quantity: Decimal | None, trigger_price: Decimal | None
    ) -> None:
        """Change a resting stop in place; an order that already stands so is left as it is.

        Quantity and trigger are brought to the steps that the pair has now.
        """
        symbol = self.budget.orders.symbol(order_id)
        instrument = None if symbol is None else await self._instrument(symbol)
        parameters = mapping.amend_parameters(order_id, quantity, trigger_price, instrument)
        if len(parameters) > 1:
            await self._amended(order_id, parameters, Priority.PROTECT)

    async def reprice(self, order_id: str, limit_price: Decimal, *, post_only: bool) -> None:
        """Move the limit of a resting entry in place; one that already stands so is left alone."""
        symbol = self.budget.orders.symbol(order_id)
        instrument = None if symbol is None else await self._instrument(symbol)
        parameters = mapping.reprice_parameters(
            order_id, limit_price, instrument, post_only=post_only
        )
        await self._amended(order_id, parameters, Priority.ENTRY)

    async def _amended(
        self, order_id: str, parameters: dict[str, Parameter], priority: Priority
    ) -> None:
        symbol = self.budget.orders.symbol(order_id)
        await self._availability.confirm(change=True, urgent=priority is Priority.PROTECT)
        await self.budget.admit_amend(order_id, priority)
        try:
            await self._change("AmendOrder", parameters, Operation.AMEND, priority, symbol)
        except OrderRejectedError as refusal:
            if "No amendable parameters" not in refusal.raw:
                raise
        if symbol:
            self.budget.orders.touch(order_id, symbol)

    # --- what asks ------------------------------------------------------------------------------

    async def find(self, order: OrderSpec, since: datetime) -> list[OrderReport]:
        """Ask for an intended order: what the stream told, then open orders, then closed ones.

        ``since`` is protocol time and the exchange's times are market time, so it cannot bound the
        question; the id does. Open orders and the newest closed ones are read once for all who
        look for an order; only one that is on neither is asked for by its id.
        """
        del since
        # While it is not known whether an exit was sent, what is held may have no stop; while it is
        # not known of an entry, something may be held of which nobody knows.
        urgency = Priority.PROTECT if order.is_protective else Priority.RECOVERY
        is_it, priority = await self._is(order), self._at_most(urgency)
        seen = self.memory.first(is_it)
        if seen is not None:
            return [seen]
        opened = await self._reads.open_orders(priority)
        self._proofs.note_read(Side.OPEN, opened)
        if found := [one for one in opened if is_it(one)]:
            return found
        newest, complete = await self._reads.newest_closed(priority)
        self._proofs.note_read(Side.CLOSED, newest)
        found = [one for one in newest if is_it(one)]
        if found or complete:
            return found
        found = await self._reads.closed_like(mapping.identity(order), priority)
        return [one for one in found if is_it(one)]

    async def appeared(self, order: OrderSpec, within: float) -> OrderReport | None:
        """Return an intended order if the stream tells of it within these seconds, else None."""
        return await self.memory.appeared(await self._is(order), within)

    async def ended(self, order_id: str, within: float) -> OrderReport | None:
        """Return how an order ended if the stream tells within these seconds, else None."""
        return await self.memory.ended(order_id, within)

    async def withdrawn(self, order_id: str) -> OrderReport | None:
        """Return how an order ended whose cancel was answered, by a snapshot newer than that."""
        return await self._proofs.proves_end(lambda: self.memory.of(order_id))

    async def query(self, order_ids: Sequence[str]) -> dict[str, OrderReport]:
        """Return orders by exchange id; ids that the exchange does not know are missing."""
        return await self._reads.orders(order_ids, self._at_most(Priority.EXIT))

    async def open_orders(self) -> list[OrderReport]:
        """Return every open order on the key."""
        return await self._reads.open_orders(self._at_most(Priority.EXIT))

    async def closed_orders(self, since: datetime) -> list[OrderReport]:
        """Return orders closed since a market time, all pages, newest first."""
        return await self._reads.closed_orders(since, self._at_most(Priority.EXIT))

    async def fills(self, since: datetime | None) -> list[Fill]:
        """Return executions since a market time (None: all), all pages, oldest first."""
        return await self._reads.fills(since, self._at_most(Priority.EXIT))

    async def fills_by_id(self, execution_ids: Sequence[str]) -> list[Fill]:
        """Return these executions, oldest first; OrderGoneError when one of them is unknown."""
        return await self._reads.executions(execution_ids, self._at_most(Priority.EXIT))

    async def ledger(self, since: datetime | None, kind: str | None = None) -> list[LedgerEntry]:
        """Return ledger entries (of one kind) since a market time (None: all), oldest first."""
        return await self._reads.ledger(since, kind, self._at_most(Priority.READ))

    async def websocket_token(self) -> str:
        """Return a token for the authenticated WebSocket; good for one connection (§14)."""
        answer = await self._reads.read("GetWebSocketsToken", None, 1.0, Priority.PROTECT)
        with reading("GetWebSocketsToken"):
            return str(answer["token"])

    def learn(self, report: OrderReport) -> None:
        """Take what the stream tells of an order."""
        self.budget.orders.learn(report.order_id, report.symbol)
        self.memory.learn(report)

    def cooling_down(self) -> CoolingDown | None:
        """Return the longest time in force in which nothing signed is asked, None: none."""
        return next(iter(self._transport.cooling_down()), None)

    def stream_epoch(self) -> int | None:
        """Return the number of the stream's unbroken stretch, None while it may miss something."""
        return self._stream.stream_epoch()

    async def proves_absence(self, sent: SentOrder) -> bool:
        """Tell whether the exchange would have told of an order by now if it existed."""
        is_it = await self._is(sent.order)
        return await self._proofs.prove(sent, is_it) and self.memory.first(is_it) is None

    def seconds_until_question(self) -> float:
        """Return how long the question for a stop would wait for its turn: two pages of orders."""
        return self.budget.seconds_until_read(2.0, Priority.PROTECT)

    def executions(self) -> AsyncIterator[ExecutionReport | BalanceReport | StreamGap]:
        """Stream executions and balances; ends only by error or cancellation."""
        return self._stream.events()

    async def close(self) -> None:
        """Release connections and the key's lock."""
        await self._transport.close()
        self.signing.release()

    def protecting(self) -> "KrakenExchange":
        """Return this exchange with reads that are as urgent as protection."""
        return self._not_below(Priority.PROTECT)

    def hurried(self) -> "KrakenExchange":
        """Return this exchange with reads that only protection goes before."""
        return self._not_below(Priority.RECOVERY)

    def unhurried(self) -> "KrakenExchange":
        """Return this exchange with reads that give way to everybody else's."""
        view = copy(self)
        view._highest = Priority.BACKGROUND  # noqa: SLF001 - a copy of this object
        return view

    # --- how ------------------------------------------------------------------------------------

    def _not_below(self, priority: Priority) -> "KrakenExchange":
        view = copy(self)
        view._lowest = priority  # noqa: SLF001 - a copy of this object
        return view

    def _at_most(self, priority: Priority) -> Priority:
        return min(max(priority, self._highest), self._lowest)

    async def _is(self, order: OrderSpec) -> Callable[[OrderReport], bool]:
        """Return what tells an intended order from others.

        A userref is no proof of identity (§10), so pair, side, type and volume must agree too, and
        children of a conditional close, which may inherit it, do not count.
        """
        await self.symbols()
        return lambda report: is_order(order, report)

    async def _instrument(self, symbol: str) -> Instrument | None:
        """Return a pair by the rules of now; one that is not known may have been listed since."""
        await self.rules.settle()
        if symbol not in self.rules.instruments:
            self.rules.suspect(f"{symbol} is not known")
            await self.rules.settle()
        return self.rules.instruments.get(symbol)

    async def _change(
        self,
        method: str,
        parameters: Mapping[str, Parameter],
        operation: Operation,
        priority: Priority,
        symbol: str | None,
        still_wanted: Callable[[], None] | None = None,
    ) -> Any:
        try:
            answer = await self._transport.private(
                method, parameters, operation, priority, still_wanted
            )
        except ExchangeError as failure:
            self._availability.failed(failure, change=True)
            if isinstance(failure, RateLimitedError) and failure.raw:
                self.budget.refused(failure.raw, symbol)
            if smells_of_stale_rules(failure.raw):
                self.rules.suspect(failure.raw)
            raise
        self._availability.answered(change=True)
        return answer
