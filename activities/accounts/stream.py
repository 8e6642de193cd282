"""Follow one account at the exchange: its private stream, and what the stream missed."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity

from activities.accounts.delivery import StreamDelivery
from activities.execution.order_status import (
    Recorded,
    closed_children,
    found_by_name,
    has_unrecorded_fills,
    unrecorded_fills,
)
from activities.execution.order_submission import Clock
from activities.heartbeat import heartbeating, until_worker_stops
from activities.pauses import GrowingPause, growing_apart
from activities.ports.exchange import Exchange, ExchangeDirectory, ExecutionReport, StreamGap
from activities.ports.exchange_errors import CoolingDownError, ExchangeError, RateLimitedError
from activities.ports.journal import Journal
from activities.ports.messaging import Messenger
from models.contracts.workflows import AccountToFollow
from models.trading.account.facts import ExchangeLost, ExchangeReady
from models.trading.orders import OrderReport

log = structlog.get_logger(__name__)

LOST_AFTER_SECONDS = 1.5
RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 2.0
"""What is bought unheard has no stop meanwhile, so that even the longest pause is short."""
STEADY_SECONDS = 30.0
"""An attempt that lasted so long had begun well: the next one after it begins at once."""
LONGEST_ROOM_SECONDS = 10.0
"""How long an announcement waits for room in the limits before it is tried again."""
RETRY_PENDING_SECONDS = 0.25
SHORTEST_PAUSE_SECONDS = 0.01
SWITCH_LOOK_SECONDS = 0.5
SILENT_SECONDS = 1.2
"""How often is looked whether the stream lives; what is bought unheard has no stop meanwhile."""
ANNOUNCEMENT_PAUSE = timedelta(seconds=20)
"""Balances and fees cost scarce reads, and a lost message changes neither."""
CHECKPOINT_PAUSE = timedelta(seconds=5)
LONGEST_CHECKPOINT_PAUSE = timedelta(minutes=1)
"""While executions are missing that the exchange does not show either: each look costs reads."""
DISBELIEVED = timedelta(minutes=2)
"""How long after an order's end it is asked about still: longer than news of it are late."""
CHECKPOINT_MARGIN = timedelta(minutes=5)
"""Market time by which a replay reaches back behind the newest execution seen."""


class ExchangeSwitchedError(Exception):
    """The account's mode was changed: what is followed is not its exchange any more."""


class StreamFollower:
    """One account being followed by one attempt of the activity."""

    def __init__(
        self,
        request: AccountToFollow,
        exchanges: ExchangeDirectory,
        journal: Journal,
        messenger: Messenger,
        clock: Clock,
    ) -> None:
        self._request = request
        self._account = request.account
        self._exchanges = exchanges
        self._journal = journal
        self._messenger = messenger
        self._clock = clock
        self._behind = asyncio.Event()
        self._failing_since: datetime | None = None
        self._told_ready: bool | None = None
        self._told_cooling: str | None = None
        self._announced_at = datetime.min.replace(tzinfo=UTC)
        self._newest_fill: datetime | None = None
        self._is_in_sync = False
        self._retry = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        self.delivery = StreamDelivery(request.account, journal, messenger, clock)
        self.sequence = 0

    async def run(self) -> None:
        """Follow until cancelled; an error that is not the exchange's ends the attempt."""
        exchange = await self._connected()
        self._behind.set()
        # What was recorded and not told before a crash needs no question to anybody.
        self.delivery.expect_recorded()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume(exchange))
            tasks.create_task(self._keep_up(exchange))
            tasks.create_task(self._tidy())
            tasks.create_task(self._notice_switch(exchange))
            tasks.create_task(self.delivery.write())

    async def _connected(self) -> Exchange:
        while True:
            try:
                return await self._exchanges.exchange(self._account)
            except ExchangeError as error:
                await self._failed(error)

    async def _notice_switch(self, exchange: Exchange) -> None:
        while True:
            await asyncio.sleep(SWITCH_LOOK_SECONDS)
            if await self._connected() is not exchange:
                raise ExchangeSwitchedError(self._account)

    async def _consume(self, exchange: Exchange) -> None:
        pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        while True:
            events = exchange.executions()
            try:
                async for event in events:
                    pause.reset()
                    if isinstance(event, StreamGap):
                        log.info("stream gap", account=self._account, reason=event.reason)
                        self._behind.set()
                    elif isinstance(event, ExecutionReport):
                        await self._take(event)
            except ExchangeError as error:
                log.info("stream ended", account=self._account, error=str(error))
            finally:
                if isinstance(events, AsyncGenerator):
                    await events.aclose()
            self._behind.set()
            await asyncio.sleep(pause.next())

    async def _take(self, event: ExecutionReport) -> None:
        await self.delivery.take(event)
        self.sequence = max(self.sequence, event.sequence)
        if event.fill is not None:
            self._newest_fill = event.fill.exchange_time

    async def _keep_up(self, exchange: Exchange) -> None:
        """Ask by REST for what the stream missed, then tell the account how things stand."""
        while True:
            await self._until_behind(exchange)
            self._behind.clear()
            self._is_in_sync = False
            try:
                await self._catch_up(exchange)
                self._is_in_sync = True
                await self._announce_when_there_is_room(exchange)
                self._retry.reset()
            except CoolingDownError as error:
                self._behind.set()
                await self._failed(error)
            except RateLimitedError as error:
                # The exchange is there; its limits, or ours, only make the rest wait.
                log.info("reads have to wait", account=self._account, error=str(error))
                self._behind.set()
                await asyncio.sleep(self._retry.next())
            except ExchangeError as error:
                self._behind.set()
                await self._failed(error)

    async def _until_behind(self, exchange: Exchange) -> None:
        """Wait until something was missed, or may have been: nobody tells of it while deaf."""
        silent = False
        while not self._behind.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENT_SECONDS):
                    await self._behind.wait()
            # Somebody was refused so that all must be quiet: no entry could be protected.
            if _is_quiet(exchange):
                return
            # What is overdue for a moment makes it deaf for a moment: two looks in a row count.
            is_silent = exchange.stream_epoch() is None
            if silent and is_silent:
                return
            silent = is_silent

    async def _catch_up(self, exchange: Exchange) -> None:
        stored = await self._journal.orders(self._account, only_open=True)
        checkpoint = await self._journal.checkpoint(self._account)
        # What was withdrawn, or said to be absent, may be executed after that, and its trade may
        # have settled: whoever is deaf asks about it for as long as news of it may be late.
        finished = await self._journal.orders_ended_unfilled(
            self._account, self._clock() - DISBELIEVED
        )
        if missed := bool(stored or finished):
            # One of these may have been filled unheard: what it bought has no stop yet.
            exchange = exchange.hurried()
        opened = await exchange.open_orders()
        open_ids = {report.order_id for report in opened}
        # What ended while the record was away may stand in it without its executions.
        ended = await self._journal.orders_lacking_executions(self._account)
        known = [*(o.order_id for o in (*stored, *finished) if o.order_id), *ended]
        missing = [name for name in dict.fromkeys(known) if name not in open_ids]
        reports = {report.order_id: report for report in opened}
        if missing:
            reports |= await exchange.query(missing)
        reports |= await found_by_name(exchange, [o for o in finished if o.order_id is None])
        lacking, recorded = await self._lacking_executions(reports)
        attached = {one.order_id for one in stored if one.spec.close is not None}
        if parents := [one for one in lacking if one.order_id in attached]:
            # Their stops may have come and gone as well.
            reports |= await closed_children(exchange, parents)
            lacking, recorded = await self._lacking_executions(reports)
        if lacking:
            # By now it is known that something was bought or sold unheard.
            asking = exchange.protecting() if missed else exchange
            fills = await unrecorded_fills(asking, lacking, recorded, checkpoint)
            await self.delivery.take_fills(fills)
            if fills:
                self._newest_fill = max(fill.exchange_time for fill in fills)
        # An attached stop may have come and gone meanwhile: its executions name it.
        unowned = await self.delivery.deliver_recorded()
        if strangers := [order_id for order_id in unowned if order_id not in reports]:
            reports |= await exchange.query(strangers)
        await self.delivery.take_reports(list(reports.values()))
        if unowned:
            await self.delivery.deliver_recorded()

    async def _lacking_executions(
        self, reports: Mapping[str, OrderReport]
    ) -> tuple[list[OrderReport], Recorded]:
        """Return those of which executions are not recorded, and what is recorded.

        Executions cost most to ask for, and are seldom needed. An order that nobody knew of is
        executed only after another that is known: its parent.
        """
        rows = await self._journal.recorded_orders(self._account, list(reports))
        recorded = {row.report.order_id: row for row in rows}
        lacking = [one for one in reports.values() if has_unrecorded_fills(one, recorded)]
        return lacking, recorded

    async def _announce_when_there_is_room(self, exchange: Exchange) -> None:
        """Tell the account how things stand as soon as the limits let it be asked for.

        What was missed is not asked for again meanwhile: that would cost the very room that is
        waited for, and the account would never be told.
        """
        while not self._behind.is_set():
            try:
                await self._announce_unless_behind(exchange)
            except CoolingDownError:
                raise
            except RateLimitedError as error:
                log.info("reads have to wait", account=self._account, error=str(error))
                wait = max(error.retry_after_seconds or 0.0, self._retry.next())
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(wait, LONGEST_ROOM_SECONDS)):
                        await self._until_behind(exchange)
                        # Something may have been bought unheard: that is asked for first.
                        self._behind.set()
            else:
                return

    async def _announce_unless_behind(self, exchange: Exchange) -> None:
        """Announce, and break off when something may have been missed: that is asked for first.

        Each figure may wait for room in the limits, while what was bought unheard has no stop.
        """
        announcing = asyncio.ensure_future(self._announce(exchange))
        listening = asyncio.ensure_future(self._until_behind(exchange))
        try:
            await asyncio.wait((announcing, listening), return_when=asyncio.FIRST_COMPLETED)
            if announcing.done():
                return announcing.result()
            self._behind.set()
        finally:
            announcing.cancel()
            listening.cancel()
            await asyncio.gather(announcing, listening, return_exceptions=True)
        return None

    async def _announce(self, exchange: Exchange) -> None:
        """Tell the account how things stand, unless it was told so a moment ago."""
        if self._told_ready and self._clock() - self._announced_at < ANNOUNCEMENT_PAUSE:
            return
        symbols = self._request.symbols
        asked_at = self._clock()
        balances = {asset: b.total for asset, b in (await exchange.balances()).items()}
        instruments = await exchange.instruments()
        traded = {name: i for name, i in instruments.items() if not symbols or name in symbols}
        fees = await exchange.fees(sorted(traded))
        ready = ExchangeReady(balances, traded, fees, asked_at, mode=exchange.mode)
        self._failing_since = None
        self._told_ready = await self._messenger.signal_account(self._account, [ready])
        self._told_cooling = None
        self._announced_at = asked_at
        if not self._told_ready:  # the account's workflow is not there yet
            await asyncio.sleep(RETRY_SECONDS)
            self._behind.set()

    async def _failed(self, error: ExchangeError) -> None:
        now = self._clock()
        self._failing_since = self._failing_since or now
        lost = (now - self._failing_since).total_seconds() >= LOST_AFTER_SECONDS
        cooling = error.cooling if isinstance(error, CoolingDownError) else None
        kind = None if cooling is None else cooling.kind
        news = self._told_ready is not False or (kind is not None and kind != self._told_cooling)
        if lost and news:
            log.warning("exchange lost", account=self._account, error=str(error))
            fact = ExchangeLost(str(error), now, kind)
            told = await self._messenger.signal_account(self._account, [fact])
            self._told_ready = False if told else self._told_ready
            self._told_cooling = kind if told else self._told_cooling
        await asyncio.sleep(self._retry.next())

    async def _tidy(self) -> None:
        """Tell again what was not taken: at first quickly, for a trade may be just starting."""
        pause, checkpoint_at = SHORTEST_PAUSE_SECONDS, self._clock()
        until_next = CHECKPOINT_PAUSE
        while True:
            if self.delivery.settled:
                pause = SHORTEST_PAUSE_SECONDS
                with suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_PENDING_SECONDS):
                        await self.delivery.woken.wait()
            self.delivery.woken.clear()
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_PENDING_SECONDS)
            await self.delivery.retry_pending()
            if self._clock() >= checkpoint_at and self._is_complete:
                complete = await self._advance_checkpoint()
                checkpoint_at = self._clock() + until_next
                longer = min(2 * until_next, LONGEST_CHECKPOINT_PAUSE)
                until_next = CHECKPOINT_PAUSE if complete else longer

    async def _advance_checkpoint(self) -> bool:
        """Bound what questions reach back to; False, and asking anew, where executions lack."""
        if await self._journal.orders_lacking_executions(self._account):
            self._behind.set()
            return False
        if self._newest_fill:
            at = self._newest_fill - CHECKPOINT_MARGIN
            await self._journal.advance_checkpoint(self._account, at)
        return True

    @property
    def is_level(self) -> bool:
        """Tell whether all that the exchange has told, or would when asked, is delivered."""
        return self._is_in_sync and self._is_complete

    @property
    def _is_complete(self) -> bool:
        return not self._behind.is_set() and self.delivery.settled


def _is_quiet(exchange: Exchange) -> bool:
    cooling = exchange.cooling_down()
    return cooling is not None and cooling.seconds >= LOST_AFTER_SECONDS


class AccountStreamActivities:
    """Follows the accounts; ``following`` shows how far each is, for the process's own status."""

    def __init__(
        self,
        exchanges: ExchangeDirectory,
        journal: Journal,
        messenger: Messenger,
        clock: Clock = lambda: datetime.now(UTC),  # noqa: TID251 - the default of an argument
    ) -> None:
        self._exchanges = exchanges
        self._journal = journal
        self._messenger = messenger
        self._clock = clock
        self.following: dict[str, StreamFollower] = {}
        self._restarts: dict[str, GrowingPause] = {}

    def deliver_recorded(self, account: str) -> None:
        """Have the trades of an account told what is recorded; nothing where nobody follows it."""
        if account in self.following:
            self.following[account].delivery.expect_recorded()

    @activity.defn
    async def follow_account(self, request: AccountToFollow) -> None:
        """Follow the account's stream until its worker or the exchange's credentials end it."""
        account = request.account
        self.following[account] = self._anew(request)
        async with heartbeating(lambda: self.following[account].sequence):
            pause = GrowingPause(SHORTEST_PAUSE_SECONDS, LONGEST_RETRY_SECONDS)
            async with growing_apart(self._restarts.setdefault(account, pause), STEADY_SECONDS):
                await until_worker_stops(self._follow(request))

    async def _follow(self, request: AccountToFollow) -> None:
        while True:
            try:
                await self.following[request.account].run()
            except* ExchangeSwitchedError:
                log.info("the account has another exchange now", account=request.account)
            self.following[request.account] = self._anew(request)

    def is_level(self, account: str) -> bool:
        """Tell whether an account is followed here, and all of its exchange's news delivered."""
        following = self.following.get(account)
        return following is not None and following.is_level

    def _anew(self, request: AccountToFollow) -> StreamFollower:
        return StreamFollower(request, self._exchanges, self._journal, self._messenger, self._clock)
