"""How one order gets to the exchange exactly once: intend, send once, ask when in doubt.

Every way through ends in a proven state: acknowledged, refused, or in doubt, which is told and
asked about again later. No span of time proves that an order is absent. After its deadline the
engine begins nothing of it any more; what proves it absent then is a source that would have told of
it: see ``Exchange.proves_absence``. An exchange error lets the activity be tried again, which then
asks before it sends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from activities.execution.order_facts import ended_fact
from activities.execution.questions import HeardSince, StillInDoubtError, ask_until_answered
from activities.execution.sole_holding import holds_alone
from activities.execution.timeouts import OrderTimeouts
from activities.metrics import in_doubt, note_refusal, timed_step
from activities.ports.exchange import Exchange, SentOrder
from activities.ports.exchange_errors import (
    CredentialsError,
    ExchangeError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from activities.ports.journal import IntentStored, Journal
from models.contracts.orders import OrderPlaced
from models.trading.orders import Leg, OrderReport, OrderSpec, OrderStatus
from models.trading.refusals.kinds import PROVEN_ABSENT
from models.trading.trade.facts import OrderAcknowledged, OrderDoubted, OrderRefused

_log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
OnMissed = Callable[[OrderSpec, OrderReport], Awaitable[None]]
"""Called with an order that only asking told of, once its figures are recorded."""

RESERVATION = timedelta(seconds=0.3)
"""How long a send counted in advance may take to happen: Kraken wants deadlines 2 s ahead."""


class OrderSubmission:
    """Places one order of an account; lives for one attempt of an activity."""

    def __init__(
        self,
        exchange: Exchange,
        journal: Journal,
        clock: Clock,
        patience: OrderTimeouts,
        on_missed: OnMissed | None = None,
        is_stopped: Callable[[str], bool] = lambda _: False,
        heard: HeardSince | None = None,
    ) -> None:
        self._exchange = exchange
        self._journal = journal
        self._clock = clock
        self._patience = patience
        self._on_missed = on_missed
        self._is_stopped = is_stopped
        self._heard = heard or HeardSince()
        self._was_missed = False
        self._sends_left = patience.stop_sends
        self._refusals_left = patience.refused_sends
        self._heard_since: int | None = None
        self._is_in_doubt = False
        self._is_unproven = False
        self._is_there = False

    async def submit_once(
        self, order: OrderSpec, intended_at: datetime, unsendable: str | None = None
    ) -> OrderPlaced:
        """Store the intent, counted as sent in the same commit, and send it at once.

        ``unsendable`` says why it may not be sent now; an earlier send is still resolved.
        """
        sending_at = self._clock()
        too_old = order.leg is Leg.ENTRY and sending_at - intended_at > self._patience.entry_age
        not_sent = too_old or unsendable is not None
        with timed_step("intent", order.leg):
            stored = await self._journal.store_intent(
                order, intended_at, None if not_sent else sending_at
            )
        if stored.is_new and stored.order.sends == 1:
            return await self._submit(order, intended_at, sending_at, 1)
        return await self.place(order, stored, unsendable)

    async def place_reserved(
        self, order: OrderSpec, stored: IntentStored, sending_at: datetime, unsendable: str | None
    ) -> OrderPlaced:
        """Send an intent that was stored as sent at ``sending_at``, after other steps took time.

        The deadline given to the exchange counts from ``sending_at``, so that what is recorded
        never claims absence too early; when too little of it is left the send is counted anew.
        """
        if not (stored.is_new and stored.order.sends == 1):
            return await self.place(order, stored, unsendable)
        if unsendable is not None:
            return await self.refuse(order, OrderStatus.NOT_PLACED, unsendable)
        if self._clock() - sending_at > RESERVATION:
            return await self._send(order, stored.order.intended_at, 1)
        return await self._submit(order, stored.order.intended_at, sending_at, 1)

    async def place(
        self, order: OrderSpec, stored: IntentStored, unsendable: str | None = None
    ) -> OrderPlaced:
        """Bring a stored intent to a proven outcome.

        ``unsendable`` says why the order may no longer be sent; an earlier send is still resolved.
        """
        known = stored.order
        if known.status in (OrderStatus.REJECTED, OrderStatus.NOT_PLACED):
            return self._refused(order, known.status, "refused before")
        if known.order_id is not None:
            at = known.acknowledged_at or self._clock()
            return OrderPlaced(OrderAcknowledged(order.client_order_id, known.order_id, at))
        if known.sends:
            self._heard_since = self._heard.take(order.client_order_id)
            self._is_in_doubt = self._heard_since is not None
            return await self._resolve(
                order, known.intended_at, known.sent_at or self._clock(), known.sends, unsendable
            )
        if unsendable is not None:
            return await self.refuse(order, OrderStatus.NOT_PLACED, unsendable)
        if order.leg is Leg.ENTRY and stored.halted:
            return await self.refuse(order, OrderStatus.NOT_PLACED, "kill switch engaged")
        age = self._clock() - known.intended_at
        if order.leg is Leg.ENTRY and age > self._patience.entry_age:
            return await self.refuse(order, OrderStatus.NOT_PLACED, "the decision is too old")
        return await self._send(order, known.intended_at, known.sends)

    async def refuse(self, order: OrderSpec, status: OrderStatus, reason: str) -> OrderPlaced:
        """Record that the order does not exist and will not."""
        now = self._clock()
        await self._journal.mark_order(
            order.account, order.client_order_id, status, None, now, reason
        )
        return self._refused(order, status, reason)

    async def _send(self, order: OrderSpec, intended_at: datetime, sends: int) -> OrderPlaced:
        sent_at = self._clock()
        count = await self._journal.mark_sent(order.account, order.client_order_id, sent_at)
        if count != sends + 1:  # another attempt has sent since the record was read
            return await self._resolve(order, intended_at, sent_at, count)
        return await self._submit(order, intended_at, sent_at, count)

    async def _submit(
        self, order: OrderSpec, intended_at: datetime, sent_at: datetime, count: int
    ) -> OrderPlaced:
        if order.leg is Leg.ENTRY and self._is_stopped(order.account):
            return await self.refuse(order, OrderStatus.NOT_PLACED, "emergency stop")
        if self._heard_since is None and not self._is_unproven:
            self._heard_since = self._exchange.stream_epoch()
        try:
            with timed_step("acknowledge", order.leg):
                order_id = await self._exchange.submit(order, sent_at + self._patience.deadline)
        except (UnknownOutcomeError, OrderGoneError, OrderRejectedError) as error:
            if "not unique" in error.raw:
                # An open order has this id already: it is ours. Asking finds it; who listens
                # would have heard of it by now.
                self._heard_since, self._is_there = None, True
            elif isinstance(error, OrderRejectedError):
                note_refusal(order.leg.value, str(error))
                return await self.refuse(order, OrderStatus.REJECTED, str(error))
            self._is_in_doubt = True
            return await self._resolve(order, intended_at, sent_at, count)
        except ExchangeUnavailableError as error:
            if order.leg is Leg.STOP:
                return await self._send_later(order, intended_at, count, error)
            return await self.refuse(order, OrderStatus.NOT_PLACED, str(error))
        except (RateLimitedError, CredentialsError) as error:
            if order.leg is Leg.STOP:
                return await self._send_later(order, intended_at, count, error)
            return await self.refuse(order, OrderStatus.NOT_PLACED, str(error))
        acknowledged = OrderAcknowledged(order.client_order_id, order_id, self._clock())
        await self._journal.mark_order(
            order.account, order.client_order_id, OrderStatus.OPEN, order_id, acknowledged.at
        )
        return OrderPlaced(acknowledged)

    async def _send_later(
        self, order: OrderSpec, intended_at: datetime, sends: int, error: ExchangeError
    ) -> OrderPlaced:
        """Send a stop that was certainly not taken again after a pause, without a question.

        The next attempt would have to ask, for the record does not tell how a send ended; an hour
        of maintenance would use up what the exchange lets us ask. After a refusal for rate there is
        no room to ask for long (kraken-protocol §4.1), though adding orders costs none of it.
        """
        pause = self._patience.pause_after(error)
        if self._is_in_doubt or pause is None:
            raise error
        self._refusals_left -= max(1, round(pause / self._patience.refused_pause))
        if self._refusals_left <= 0:
            raise error
        await asyncio.sleep(pause.total_seconds())
        return await self._send(order, intended_at, sends)

    async def _resolve(
        self,
        order: OrderSpec,
        intended_at: datetime,
        sent_at: datetime,
        sends: int,
        unsendable: str | None = None,
    ) -> OrderPlaced:
        """Ask whether the order exists; only stops are sent again.

        An exit is not: it has dropped the stops, and until the next try they must be back.
        """
        try:
            with in_doubt("place", order.leg) as doubt:
                if order.leg is not Leg.STOP or unsendable is not None:
                    report = await self._look_for(order, intended_at, sent_at)
                elif self._was_all_told():
                    report = await self._hear_of(order, intended_at, sent_at)
                else:
                    report = await self._ask_for_stop(order, intended_at, sent_at)
                doubt.found(report)
        except StillInDoubtError:
            return await self._doubt(order)
        if report is not None:
            return await self._found(order, report)
        if order.leg is not Leg.STOP:
            return await self.refuse(order, OrderStatus.NOT_PLACED, PROVEN_ABSENT)
        if unsendable is not None:
            return await self.refuse(order, OrderStatus.NOT_PLACED, unsendable)
        self._sends_left -= 1
        if self._sends_left <= 0:
            if self._was_all_told():
                self._heard.leave(order.client_order_id, self._heard_since)
            raise UnknownOutcomeError("a stop is absent after several sends")
        return await self._send(order, intended_at, sends)

    async def _hear_of(
        self, order: OrderSpec, intended_at: datetime, sent_at: datetime
    ) -> OrderReport | None:
        """Listen for a stop, then ask, but only once where the stream was whole all the while.

        Whoever waits for room under the exchange's limits, or asks again for an answer that was
        lost, leaves the position without a stop for as long. Such a stop is sent again without
        another proof: the exchange refuses a second one of the same id while the first one rests,
        and one that fired would have been told, on two channels.
        """
        listened_from = asyncio.get_running_loop().time()
        told = await self._exchange.appeared(order, self._patience.hear.total_seconds())
        if told is None and self._was_all_told() and self._exchange.seconds_until_question() <= 0:
            with suppress(TimeoutError, RateLimitedError, ExchangeUnavailableError):
                async with asyncio.timeout(self._patience.answer.total_seconds()):
                    found = await self._exchange.find(order, intended_at)
                if found:
                    return self._answered(found)
                if self._was_all_told():
                    self._is_in_doubt = False
                    return None
        if told is None and self._was_all_told():
            listened = asyncio.get_running_loop().time() - listened_from
            enough = self._patience.hear_unasked.total_seconds()
            told = await self._exchange.appeared(order, max(0.0, enough - listened))
        if told is not None or self._was_all_told():
            return told
        return await self._ask_for_stop(order, intended_at, sent_at)

    def _was_all_told(self) -> bool:
        """Tell whether the stream has told everything since before the first send in doubt.

        What an earlier attempt has sent may have fired while nobody listened.
        """
        heard_since = self._heard_since
        return heard_since is not None and heard_since == self._exchange.stream_epoch()

    async def _ask_for_stop(
        self, order: OrderSpec, intended_at: datetime, sent_at: datetime
    ) -> OrderReport | None:
        """Return a stop that may have fired unheard; None when it may be sent once more.

        That is when its absence is proven, as an entry's is, or when a second one could sell
        nothing that the first one has not sold: the account holds nothing else of the asset.

        Raises:
            StillInDoubtError: neither; a later attempt asks again.
        """
        told = await self._exchange.appeared(order, 0)
        if told is not None:
            return told
        # The balance before the question: the question is then the newer of the two.
        alone = not self._is_there and await holds_alone(self._exchange, self._journal, order)
        asked_at = self._clock()
        if found := await self._ask(order, intended_at):
            return self._answered(found)
        if alone:
            self._is_unproven = True
            return None
        left = sent_at + self._patience.deadline - asked_at
        if left > timedelta(0):
            told = await self._exchange.appeared(order, left.total_seconds())
            if told is not None:
                return told
            if found := await self._ask(order, intended_at):
                return self._answered(found)
        # An earlier send may be meant as well: none was before the intent.
        return await self._absent(order, sent_at, since=min(intended_at, sent_at))

    async def _look_for(
        self, order: OrderSpec, intended_at: datetime, sent_at: datetime
    ) -> OrderReport | None:
        """Return the order, None when its absence is proven.

        Raises:
            StillInDoubtError: neither; a later attempt asks again.
        """
        begins_nothing_at = sent_at + self._patience.deadline
        if order.leg is Leg.ENTRY:
            begins_nothing_at += self._patience.delivery
        # What a live stream does not tell of is asked about once, when the answer proves something.
        pause = self._patience.poll
        if self._exchange.stream_epoch() is not None:
            entry = order.leg is Leg.ENTRY
            pause = max(pause, self._patience.listen if entry else self._patience.deadline)
        while True:
            # Questions are scarce; a stream that lives tells at once without being asked.
            left = max(begins_nothing_at - self._clock(), timedelta(0))
            told = await self._exchange.appeared(order, min(pause, left).total_seconds())
            if told is not None:
                return told
            asked_at = self._clock()
            found = await self._ask(order, intended_at)
            if found:
                return self._answered(found)
            if asked_at >= begins_nothing_at:
                return await self._absent(order, sent_at)
            pause *= 4

    async def _absent(
        self, order: OrderSpec, sent_at: datetime, since: datetime | None = None
    ) -> OrderReport | None:
        """Return None when the order is proven absent, or the order if it was told of meanwhile.

        ``since`` is when it may have been sent first, None: at ``sent_at``.
        """
        before = await self._journal.newest_execution_before(order.account, since or sent_at)
        sent = SentOrder(order, sent_at + self._patience.deadline, self._heard_since, before)
        proven = await self._exchange.proves_absence(sent)
        # What served as proof may just have told of the order.
        told = await self._exchange.appeared(order, 0)
        if told is None and not proven:
            raise StillInDoubtError
        return told or self._answered(())

    async def _doubt(self, order: OrderSpec) -> OrderPlaced:
        """Record that nobody can say whether the order exists; it is asked about again."""
        reason = "sent and not answered; nothing proves yet that it does not exist"
        now = self._clock()
        await self._journal.mark_order(
            order.account, order.client_order_id, OrderStatus.UNKNOWN, None, now, reason
        )
        about = {"account": order.account, "trade": order.trade, "leg": order.leg.value}
        _log.warning("an order is in doubt", client_order_id=order.client_order_id, **about)
        return OrderPlaced(doubted=OrderDoubted(order.client_order_id, reason, now))

    def _answered(self, reports: Sequence[OrderReport]) -> OrderReport | None:
        """Take the answer to a question: the order, or the proof that it is not there."""
        if not reports:
            # What was sent until now need not be heard of any more.
            self._heard_since, self._is_in_doubt, self._is_unproven = None, False, False
            return None
        self._was_missed = True
        return min(reports, key=lambda r: (r.status.is_final, r.order_id))

    async def _ask(self, order: OrderSpec, intended_at: datetime) -> list[OrderReport]:
        tries = self._patience.lost_questions
        return await ask_until_answered(self._exchange, order, intended_at, tries)

    async def _found(self, order: OrderSpec, report: OrderReport) -> OrderPlaced:
        now = self._clock()
        # With its figures first: ended and without them it would pass for one that filled nothing.
        await self._journal.record_reports(order.account, [report])
        if self._was_missed and self._on_missed is not None:
            await self._on_missed(order, report)
        await self._journal.mark_order(
            order.account, order.client_order_id, report.status, report.order_id, now, report.reason
        )
        return OrderPlaced(
            OrderAcknowledged(order.client_order_id, report.order_id, now),
            ended=(
                ended_fact(report, now, order.client_order_id) if report.status.is_final else None
            ),
        )

    def _refused(self, order: OrderSpec, status: OrderStatus, reason: str) -> OrderPlaced:
        fact = OrderRefused(order.client_order_id, status, reason, self._clock())
        return OrderPlaced(refused=fact)
