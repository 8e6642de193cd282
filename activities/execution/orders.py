"""The steps that create, change and withdraw orders; each may be repeated at any point.

Nothing else in the platform sends orders. Every step answers with facts for the trade.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from temporalio import activity

from activities.carried_work import CarriedWork
from activities.execution.order_facts import ended_fact
from activities.execution.order_status import record_missed, resolve_order_status
from activities.execution.order_submission import Clock, OrderSubmission
from activities.execution.questions import HeardSince, answers_cancel
from activities.execution.timeouts import OrderTimeouts
from activities.failures import typed_failures
from activities.heartbeat import heartbeating
from activities.metrics import (
    cancelling,
    in_doubt,
    note_refusal,
    observe_step,
    repeated_when_lost,
    timed_step,
)
from activities.ports.exchange import Exchange, ExchangeDirectory
from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    UnknownOutcomeError,
)
from activities.ports.journal import IntentRefusedError, IntentStored, Journal
from models.contracts.orders import (
    EntriesToWithdraw,
    EntriesWithdrawn,
    OrderCancelled,
    OrderPlaced,
    OrdersAnswered,
    OrderStatusRequest,
    OrderToCancel,
    PartialExit,
    PositionExit,
    PositionToExit,
    SellPartialExit,
    StopAmendment,
    StopToAmend,
    SubmitOrder,
)
from models.trading.orders import Leg, OrderReport, OrderSpec, OrderStatus
from models.trading.refusals.kinds import STOPS_SOLD_ALL, STOPS_STAY
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    CancelRefused,
    OrderAcknowledged,
    OrderEnded,
    OrderRefused,
    SellPart,
    StopAmended,
)

CANCEL_BATCH = 50
CANCEL_CHECKS = 12
PROVEN_EVERY = 4
"""Of so many checks one asks for proof of an end that neither the stream nor the reads show."""
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5
STREAM_SECONDS = 0.1
"""How long the private stream may take to tell of a cancel before a read is spent on asking."""


class OrderActivities:
    """Place, cancel, amend and exit, for every account of the platform.

    ``deliver_recorded`` is called with an account of which executions were recorded that nobody
    has told to their trades; ``is_stopped`` tells of an account whether it may send no entry.
    ``refusal_for_load`` tells why an account may take no entry while positions wait for their
    protection.
    """

    def __init__(
        self,
        exchanges: ExchangeDirectory,
        journal: Journal,
        clock: Clock,
        patience: OrderTimeouts | None = None,
        deliver_recorded: Callable[[str], None] = lambda _: None,
        refusal_for_load: Callable[[str], str | None] = lambda _: None,
        is_stopped: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._exchanges = exchanges
        self._journal = journal
        self._clock = clock
        self._patience = patience or OrderTimeouts()
        self._deliver_recorded = deliver_recorded
        self._refusal_for_load = refusal_for_load
        self._is_stopped = is_stopped
        self._heard = HeardSince()
        self._resolutions = CarriedWork()

    @activity.defn
    async def place_order(self, request: SubmitOrder) -> OrderPlaced:
        """Store the intent, send the order once and answer with its proven outcome."""
        async with heartbeating():
            with typed_failures():
                order = request.order
                placement = await self._placement(order.account)
                try:
                    return await placement.submit_once(
                        order, request.intended_at, self._overloaded(order)
                    )
                except IntentRefusedError as refusal:
                    return self._not_intended(order, str(refusal))

    @activity.defn
    async def cancel_order(self, request: OrderToCancel) -> OrderCancelled:
        """Withdraw an order and answer with what had been filled of it."""
        async with heartbeating():
            with typed_failures():
                exchange = await self._exchanges.exchange(request.account)
                order_id = request.order_id
                if order_id is None:
                    placed = await self._find_unanswered(request)
                    if placed.acknowledged is None:
                        return OrderCancelled(refused=placed.refused, doubted=placed.doubted)
                    order_id = placed.acknowledged.order_id
                try:
                    ended = await self._cancel(exchange, request.account, order_id)
                except OrderRejectedError as error:
                    note_refusal("cancel", str(error))
                    kept = CancelRefused(request.client_order_id, str(error), self._clock())
                    return OrderCancelled(kept=kept)
                return OrderCancelled(replace(ended, client_order_id=request.client_order_id))

    @activity.defn
    async def withdraw_entries(self, request: EntriesToWithdraw) -> EntriesWithdrawn:
        """Cancel many entries with as few requests as possible; repeating it is harmless."""
        async with heartbeating():
            with typed_failures():
                exchange = await self._exchanges.exchange(request.account)
                ids = request.order_ids
                batches = [ids[i : i + CANCEL_BATCH] for i in range(0, len(ids), CANCEL_BATCH)]
                with repeated_when_lost("cancel", Leg.ENTRY):
                    return EntriesWithdrawn(sum([await exchange.cancel_many(b) for b in batches]))

    @activity.defn
    async def amend_stop(self, request: StopToAmend) -> StopAmendment:
        """Change a resting stop in place; asks what holds when the answer was lost."""
        async with heartbeating():
            with typed_failures():
                return await self._amend(request)

    @activity.defn
    async def exit_position(self, request: PositionToExit) -> PositionExit:
        """Store the exit's intent, drop the stops, then sell what they left."""
        async with heartbeating():
            with typed_failures():
                try:
                    return await self._exit(request)
                except IntentRefusedError as refusal:
                    why = f"{refusal}{STOPS_STAY}"
                    return PositionExit((), self._not_intended(request.command.exit, why))

    @activity.defn
    async def sell_part(self, request: SellPartialExit) -> PartialExit:
        """Store the sale's intent, make the stop smaller, then sell what it no longer covers."""
        async with heartbeating():
            with typed_failures():
                try:
                    return await self._sell_part(request)
                except IntentRefusedError as refusal:
                    return self._no_part(request.command, str(refusal))

    @activity.defn
    async def resolve_order_status(self, request: OrderStatusRequest) -> OrdersAnswered:
        """Answer with everything the exchange knows of orders whose facts are overdue."""
        async with heartbeating():
            with typed_failures():
                exchange = await self._exchanges.exchange(request.account)
                return await self._resolutions.join(
                    lambda: resolve_order_status(exchange, self._journal, request, self._clock())
                )

    def _not_intended(self, order: OrderSpec, why: str) -> OrderPlaced:
        """Answer that an order is not sent: the record cannot hold its intent."""
        fact = OrderRefused(order.client_order_id, OrderStatus.NOT_PLACED, why, self._clock())
        return OrderPlaced(refused=fact)

    def _no_part(self, command: SellPart, why: str) -> PartialExit:
        stop = AmendRefused(command.amend.order_id, why, order_is_gone=False, at=self._clock())
        return PartialExit(StopAmendment(refused=stop), self._not_intended(command.order, why))

    def _overloaded(self, order: OrderSpec) -> str | None:
        """Return why an entry must wait for the protection of others, None where it may go."""
        if order.leg is not Leg.ENTRY:
            return None
        reason = self._refusal_for_load(order.account)
        return None if reason is None else f"overloaded: {reason}"

    async def _exit(self, request: PositionToExit) -> PositionExit:
        command = request.command
        account, began = command.exit.account, time.perf_counter()
        exchange = await self._exchanges.exchange(account)
        # The stops stay until the exit can follow, and until it stands in the record.
        kept = await _no_sale(exchange, command.exit.symbol, command.stop_order_ids)
        sending_at = self._clock()
        with timed_step("intent", command.exit.leg):
            stored = await self._journal.store_intent(command.exit, request.intended_at, sending_at)
        dropped = await asyncio.gather(
            *(
                self._dropped(exchange, account, order_id)
                for order_id in (command.stop_order_ids if kept is None else ())
            )
        )
        stops = [stop for stop in dropped if isinstance(stop, OrderEnded)]
        kept = next((words for words in dropped if isinstance(words, str)), kept)
        sold_meanwhile = sum((stop.filled_quantity for stop in stops), Decimal(0))
        left = command.exit.quantity - (sold_meanwhile - command.stops_filled_known)
        placement = await self._placement(account)
        placed = await placement.place_reserved(
            replace(command.exit, quantity=left),
            stored,
            sending_at,
            STOPS_SOLD_ALL if left <= 0 else kept,
        )
        if placed.acknowledged is not None:
            observe_step("exit", command.exit.leg, began)
        return PositionExit(tuple(stops), placed)

    async def _sell_part(self, request: SellPartialExit) -> PartialExit:
        amend, order = request.command.amend, request.command.order
        exchange = await self._exchanges.exchange(order.account)
        # The stop stays as it is until the sale can follow, and until it stands in the record.
        kept = await _no_sale(exchange, order.symbol, (amend.order_id,))
        sending_at = self._clock()
        with timed_step("intent", order.leg):
            stored = await self._journal.store_intent(order, request.intended_at, sending_at)
        if kept is None:
            stop = await self._amend(StopToAmend(order.account, amend))
        else:
            stop = self._no_part(request.command, kept).stop
        placement = await self._placement(order.account)
        left = stop.refused
        placed = await placement.place_reserved(
            order,
            stored,
            sending_at,
            None if left is None else f"the stop was not made smaller: {left.reason}",
        )
        return PartialExit(stop, placed)

    async def _amend(self, request: StopToAmend) -> StopAmendment:
        command = request.command
        exchange = await self._exchanges.exchange(request.account)
        try:
            with timed_step("amend", Leg.STOP):
                await exchange.amend(command.order_id, command.quantity, command.trigger_price)
        except UnknownOutcomeError as error:
            with in_doubt("amend", Leg.STOP) as doubt:
                answer, doubt.resolution = await self._amendment_found(exchange, command, error)
            if answer is None:
                raise  # amending again to the same figures is harmless
            return answer
        except (OrderGoneError, OrderRejectedError) as error:
            answer, _ = await self._amendment_found(exchange, command, error)
            note_refusal("amend", str(error))
            return answer or StopAmendment(
                refused=AmendRefused(
                    command.order_id, str(error), order_is_gone=False, at=self._clock()
                )
            )
        return self._amended(command)

    async def _amendment_found(
        self, exchange: Exchange, command: AmendStop, error: ExchangeError
    ) -> tuple[StopAmendment | None, str]:
        """Ask what holds after a failed amend; no answer when the stop rests as it was."""
        report = (await exchange.query([command.order_id])).get(command.order_id)
        if report is None or report.status.is_final:
            refused = AmendRefused(
                command.order_id, str(error), order_is_gone=True, at=self._clock()
            )
            return StopAmendment(refused=refused), "found_closed"
        if (report.quantity, report.trigger_price) == (command.quantity, command.trigger_price):
            return self._amended(command), "amended"
        return None, "not_amended"

    def _amended(self, command: AmendStop) -> StopAmendment:
        return StopAmendment(
            StopAmended(command.order_id, command.quantity, command.trigger_price, self._clock())
        )

    async def _cancel(self, exchange: Exchange, account: str, order_id: str) -> OrderEnded:
        """Cancel one order and ask until the exchange shows it final; again while it is open."""
        pause, answered = FIRST_PAUSE_SECONDS, False
        failure: ExchangeError = UnknownOutcomeError(
            f"order {order_id} is not shown as ended after its cancel"
        )
        with cancelling() as cancel:
            for check in range(1, CANCEL_CHECKS + 1):
                away = False
                if not answered:
                    # Cancelling twice is harmless; the question afterwards tells what is so.
                    try:
                        answered = await answers_cancel(exchange, order_id)
                        cancel.lost += not answered
                    except ExchangeUnavailableError as error:
                        # Nothing was sent, so there is nothing to ask about; the stream may tell
                        # of what was sent before.
                        failure, away = error, True
                cancel.ended = await self._end_of(exchange, order_id, asks=not away)
                if cancel.ended is None and answered and check % PROVEN_EVERY == 0:
                    cancel.ended = await exchange.withdrawn(order_id)
                if cancel.ended is not None:
                    await self._journal.record_reports(account, [cancel.ended])
                    return ended_fact(cancel.ended, self._clock(), cancel.ended.client_order_id)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        raise failure

    async def _dropped(self, exchange: Exchange, account: str, order_id: str) -> OrderEnded | str:
        """Cancel a stop; return why nothing is sold where the exchange refuses to withdraw it."""
        try:
            return await self._cancel(exchange, account, order_id)
        except OrderRejectedError as refusal:
            return f"{refusal}{STOPS_STAY}"

    async def _end_of(
        self, exchange: Exchange, order_id: str, *, asks: bool = True
    ) -> OrderReport | None:
        """Return how an order ended, None while the exchange shows it open."""
        told = await exchange.ended(order_id, STREAM_SECONDS)
        if told is not None or not asks:
            return told
        # Until that is known nothing is sold, and where the order was a stop nothing is protected.
        report = (await exchange.protecting().query([order_id])).get(order_id)
        return report if report is not None and report.status.is_final else None

    async def _find_unanswered(self, request: OrderToCancel) -> OrderPlaced:
        """Find out what became of an order without an exchange id; it is not sent any more."""
        known = await self._journal.orders(request.account, only_open=False)
        name = request.client_order_id
        stored = next((o for o in known if o.spec.client_order_id == name), None)
        if stored is None:
            # Nothing is sent before its intent is stored: whoever is to place it has not begun yet.
            return await self._found_without_intent(request)
        placement = await self._placement(request.account)
        intent = IntentStored(stored, is_new=False, halted=False)
        return await placement.place(stored.spec, intent, "withdrawn before it was sent")

    async def _found_without_intent(self, request: OrderToCancel) -> OrderPlaced:
        if request.order is None:
            return OrderPlaced()
        exchange = await self._exchanges.exchange(request.account)
        found = await exchange.find(request.order, request.intended_at)
        if not found:
            return OrderPlaced()
        name, found_at = request.client_order_id, self._clock()
        return OrderPlaced(OrderAcknowledged(name, found[0].order_id, found_at))

    async def _placement(self, account: str) -> OrderSubmission:
        exchange = await self._exchanges.exchange(account)

        async def on_missed(order: OrderSpec, report: OrderReport) -> None:
            if order.leg is not Leg.ENTRY:
                return
            with suppress(ExchangeError):  # its trade asks again
                if await record_missed(exchange, self._journal, account, report):
                    self._deliver_recorded(account)

        return OrderSubmission(
            exchange,
            self._journal,
            self._clock,
            self._patience,
            on_missed,
            self._is_stopped,
            self._heard,
        )


async def _no_sale(exchange: Exchange, symbol: str, stop_ids: Sequence[str]) -> str | None:
    """Wait for room for a sale. Return why there is none and the stops stay, None: there is."""
    try:
        await exchange.room_for_exit(symbol, stop_ids)
    except OrderRejectedError as refusal:
        return f"{refusal}{STOPS_STAY}"
    return None
