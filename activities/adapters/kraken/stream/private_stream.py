"""The authenticated WebSocket of one account: executions and balances, complete or said not to be.

After every connection and every lost message a StreamGap follows the new snapshot: from there on
the stream is complete again, and what was missed before must be asked for by REST.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Any

from activities import metrics
from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.errors import UNREADABLE, ForbiddenAddressError
from activities.adapters.kraken.exchange_clock import ExchangeClock, now
from activities.adapters.kraken.feed.rows import wire_time
from activities.adapters.kraken.repairs import Repairs
from activities.adapters.kraken.stream.balance_rows import streamed_balances
from activities.adapters.kraken.stream.order_views import OrderViews, is_unknown
from activities.adapters.kraken.stream.pending_expectations import (
    PendingExpectations,
    expect_end,
    expect_executions,
)
from activities.adapters.kraken.stream.private_connection import (
    CHANNELS,
    SNAPSHOT_SECONDS,
    PrivateConnection,
    Snapshot,
    StaleTokenError,
    measure_delivery,
    message_of,
    note_refusal,
    snapshot_of,
)
from activities.adapters.kraken.websocket import (
    SILENCE_SECONDS,
    Backoff,
    ConnectionLimiter,
    Socket,
)
from activities.pauses import GrowingPause
from activities.ports.exchange import BalanceReport, ExecutionReport, StreamGap
from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    RateLimitedError,
)
from models.trading.orders import OrderReport

_log = logging.getLogger(__name__)

PrivateEvent = ExecutionReport | BalanceReport | StreamGap

LIVELY_SECONDS = 1.6
"""A heartbeat comes every second; without one for longer nobody knows what is missed."""
TOKEN_PAUSE_SECONDS = 0.4
LONGEST_PAUSE_SECONDS = 3.2
"""Of tokens and of channels that are begun anew: what is bought unheard has no stop meanwhile."""
PING_SECONDS = 5.0
"""Between two questions for the exchange's clock, by which the delay of delivery is measured."""


class PrivateStream:
    """Stream an account's executions and balances across reconnections."""

    def __init__(
        self,
        url: str,
        allowed: AllowedHosts,
        token: Callable[[], Awaitable[str]],
        limiter: ConnectionLimiter,
        silence_seconds: float = SILENCE_SECONDS,
        patience_seconds: float = 0.5,
        learn: Callable[[OrderReport], None] = lambda _: None,
        ping_seconds: float = PING_SECONDS,
        *,
        stamps_are_wall_clock: bool = False,
        clock: ExchangeClock | None = None,
    ) -> None:
        self._url = url
        self._allowed = allowed
        self._token = token
        self._limiter = limiter
        self._silence = silence_seconds
        self._patience = patience_seconds
        self._learn = learn
        self._ping_seconds = ping_seconds
        self._stamps_are_wall_clock = stamps_are_wall_clock
        self._clock = clock
        self._views = OrderViews()
        self._expected = PendingExpectations()
        self._complete_at: float | None = None
        self._lost_at: float | None = None
        self._stretch = 0
        self._live: tuple[PrivateConnection, Socket] | None = None
        self._snapshot_came = asyncio.Event()
        self.snapshot: Snapshot | None = None
        # Kept from call to call: whoever calls again in an outage must not begin with a burst.
        self._backoff = Backoff()
        self._token_pause = GrowingPause(TOKEN_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        self._repairs = Repairs(longest_pause_seconds=LONGEST_PAUSE_SECONDS)
        self._attempts = 0
        self.connections = 0
        self.sequence_gaps = 0

    async def events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield what happens on the account.

        Raises:
            ExchangeUnavailableError: no working connection for as long as patience lasts, so that
                the caller knows; calling again goes on trying.
            ExchangeError: something is refused, after the pause that is due.
        """
        reason = "connected"
        self._lost_at = time.monotonic()
        while True:
            attempts = self._attempts
            try:
                async with aclosing(self._connection(reason)) as connection:
                    async for event in connection:
                        yield event
            except StaleTokenError as failure:
                reason = f"token refused: {failure}"
                self._note_loss()
                await self._pause(attempts)
            except ForbiddenAddressError:
                raise
            except ExchangeError as failure:
                # Of an outage its beginning is news, the many attempts to reconnect are not.
                _log.log(_level(self._lost_at), "private stream: %s", failure)
                reason = f"reconnected after: {failure}"
                self._note_loss()
                passing = isinstance(failure, ExchangeUnavailableError | RateLimitedError)
                impatient = time.monotonic() - (self._lost_at or 0.0) > self._patience
                await self._pause(attempts)
                if impatient or not passing:
                    raise

    async def _pause(self, attempts_before: int) -> None:
        """Wait for the next attempt; only those that reached for the socket are scarce."""
        if self._attempts > attempts_before:
            await self._backoff.wait()
        else:
            await asyncio.sleep(self._token_pause.next())

    def stream_epoch(self) -> int | None:
        """Return the number of the stretch in which everything was told, up to this moment.

        None while that is not sure: not connected, not lively, or something is overdue. Whatever
        was missed ends a stretch, so that a later one proves nothing of what happened before it.
        """
        if self._complete_at is None or self._expected.wait_seconds() is not None:
            return None
        return self._stretch if time.monotonic() - self._complete_at < LIVELY_SECONDS else None

    def is_whole_since(self, snapshot: Snapshot) -> bool:
        """Tell whether nothing was missed since a snapshot."""
        return self.stream_epoch() == snapshot.stretch

    def reaches_back(self, stretch: int | None, after: datetime | None) -> bool:
        """Tell whether everything was told since a stretch, or since a snapshot's executions.

        Args:
            stretch: the stretch at the moment in question, None if it is not known.
            after: market time of an execution known to be older than that moment, None if none is.
        """
        whole, shot = self.stream_epoch(), self.snapshot
        if whole is None:
            return False
        if whole == stretch:
            return True
        if shot is None or shot.stretch != whole:
            return False
        return shot.oldest is None or (after is not None and shot.oldest < after)

    async def confirm(self, within: float) -> bool:
        """Tell whether the connection that lives now answers a ping within these seconds."""
        live = self._live
        if live is None:
            return False
        connection, socket = live
        request, answered = connection.ping(), asyncio.Event()
        connection.confirming[request["req_id"]] = answered
        try:
            async with asyncio.timeout(within):
                await socket.send(request)
                await answered.wait()
        except (TimeoutError, ExchangeUnavailableError):
            return False
        return self._live is live

    async def renew(self, within: float) -> bool:
        """Ask for a new snapshot of executions; tell whether it came within these seconds."""
        live = self._live
        if live is None:
            return False
        self._snapshot_came.clear()
        if "executions" not in live[0].awaited:
            live[0].broken["executions"] = "a new snapshot was asked for"
            live[0].subscribe_again("executions")
        # What is to be sent is sent after the next message: the pong.
        if not await self.confirm(within):
            return False
        try:
            async with asyncio.timeout(within):
                await self._snapshot_came.wait()
        except TimeoutError:
            return False
        return await self.confirm(within)

    def _note_loss(self) -> None:
        if self._lost_at is None:
            self._lost_at = time.monotonic()

    async def _connection(self, reason: str) -> AsyncGenerator[PrivateEvent, None]:
        connection = PrivateConnection(await self._token(), reason)
        self._attempts += 1
        self._token_pause.reset()
        self._repairs.suspend()
        socket = await Socket.open(self._url, self._allowed, self._limiter, self._silence)
        self.connections += 1
        metrics.STREAM_CONNECTIONS.inc()
        self._live = connection, socket
        pinging = asyncio.create_task(self._ping(connection, socket))
        try:
            for channel in CHANNELS:
                await socket.send(connection.subscribe(channel))
            while True:
                for frame in await socket.frames(self._wait_seconds(connection)):
                    for event in self._understood(connection, frame):
                        if isinstance(event, StreamGap):
                            self._stretch += 1
                        yield event
                if overdue := self._expected.take_overdue():
                    _log.warning("not told: %s", ", ".join(overdue))
                    self._stretch += 1
                    yield StreamGap(f"not told: {', '.join(overdue)}")
                self._mend(connection)
                socket.disregard(connection.pongs)
                connection.pongs = 0
                self._complete_at = time.monotonic() if connection.is_whole else None
                if connection.is_whole:
                    self._backoff.reset()
                    self._lost_at = None
                for request in connection.requests:
                    await socket.send(request)
                connection.requests.clear()
        finally:
            self._complete_at = self._live = None
            self._stretch += 1
            pinging.cancel()
            await socket.close()

    def _mend(self, connection: PrivateConnection) -> None:
        """Begin the broken channels anew that are due, and give up a connection that is mute."""
        for _, channel in self._repairs.take_due():
            if channel in connection.broken:
                connection.subscribe_again(channel)
        connection.require_snapshots()

    def _wait_seconds(self, connection: PrivateConnection) -> float | None:
        """Return how long to wait for news at most."""
        waits = [self._expected.wait_seconds(), self._repairs.wait_seconds()]
        if connection.awaited:
            waits.append(SNAPSHOT_SECONDS)
        return min((seconds for seconds in waits if seconds is not None), default=None)

    async def _ping(self, connection: PrivateConnection, socket: Socket) -> None:
        """Ask for the exchange's clock again and again; a lost connection is noticed elsewhere."""
        with suppress(ExchangeUnavailableError):
            while True:
                await socket.send(connection.ping())
                await asyncio.sleep(self._ping_seconds)

    def _understood(self, connection: PrivateConnection, frame: bytes) -> Iterator[PrivateEvent]:
        try:
            yield from self._take(connection, frame)
        except UNREADABLE:
            # A frame of a shape that we do not know must not end the stream, nor be lost silently.
            _log.exception("a private frame could not be read: %.500r", frame)
            yield StreamGap("a message could not be read")

    def _take(self, connection: PrivateConnection, frame: bytes) -> Iterator[PrivateEvent]:
        message = message_of(frame)
        if message is None:
            return
        if "channel" not in message:
            self._answered(connection, message)
            return
        channel = str(message.get("channel"))
        if channel not in CHANNELS or "data" not in message:
            return
        metrics.STREAM_MESSAGES.labels(channel).inc()
        snapshot = message.get("type") == "snapshot"
        numbered = message.get("sequence") is not None
        sequence = int(message["sequence"] if numbered else connection.sequences.get(channel, 0))
        if numbered and not self._is_next(connection, channel, sequence, snapshot=snapshot):
            return
        if not numbered:
            yield StreamGap(f"{channel} without a sequence: nobody can tell what is missing")
        if channel == "balances":
            if not snapshot:
                expect_executions(self._expected, self._views, message)
            yield streamed_balances(message, sequence, snapshot=snapshot)
        else:
            yield from self._executions_of(message, sequence, snapshot=snapshot)
        if snapshot and channel in connection.awaited:
            del connection.awaited[channel]
            self._repairs.sound(("private", channel))
            if channel == "executions":
                self._snapshot_came.set()
                yield StreamGap(connection.gap_reason)

    def _executions_of(
        self, message: Mapping[str, Any], sequence: int, *, snapshot: bool
    ) -> Iterator[PrivateEvent]:
        if snapshot:
            # The stretch that begins with a snapshot is the next one.
            self.snapshot = snapshot_of(message["data"], self._stretch + 1)
        for event in self._executions(message, sequence, snapshot=snapshot):
            if snapshot and isinstance(event, StreamGap):
                self.snapshot = None  # something of it could not be read
            yield event

    def _answered(self, connection: PrivateConnection, message: Mapping[str, Any]) -> None:
        """Take the answer to a request of ours."""
        if message.get("success") is False:
            note_refusal(message)
        if message.get("method") == "pong":
            connection.pongs += 1
            if (asked := connection.confirming.pop(message.get("req_id", 0), None)) is not None:
                asked.set()
            measure_delivery("pong", message.get("time_out"))
            self._learn_clock(connection, message)

    def _learn_clock(self, connection: PrivateConnection, pong: Mapping[str, Any]) -> None:
        request, asked_at = connection.pinged or (None, now())
        with suppress(*UNREADABLE):
            if self._clock is not None and pong.get("req_id") == request:
                self._clock.learn(wire_time(pong["time_out"]), asked_at, now())

    def _is_next(
        self, connection: PrivateConnection, channel: str, sequence: int, *, snapshot: bool
    ) -> bool:
        last = connection.sequences.get(channel)
        if snapshot:
            connection.sequences[channel] = sequence
            return True
        if channel in connection.awaited or channel in connection.broken:
            # Of the old subscription; the snapshot that is under way contains it.
            return False
        if last is not None and sequence <= last:
            return False
        connection.sequences[channel] = sequence
        if last is not None and sequence != last + 1:
            self.sequence_gaps += 1
            self._stretch += 1
            metrics.STREAM_GAPS.labels(channel).inc()
            _log.warning("%s jumped from %d to %d; subscribing again", channel, last, sequence)
            connection.broken[channel] = f"{channel} jumped from {last} to {sequence}"
            self._repairs.broken(("private", channel))
        return True

    def _executions(
        self, message: Mapping[str, Any], sequence: int, *, snapshot: bool
    ) -> Iterator[PrivateEvent]:
        received = now()
        entries = self._views.news_of(message["data"]) if snapshot else message["data"]
        for entry in entries:
            try:
                report = self._views.take(
                    entry, snapshot=snapshot, sequence=sequence, received_at=received
                )
            except KeyError as unknown:
                # A sparse entry of an order never described: only REST can tell.
                yield StreamGap(f"entry of an unknown order {unknown}")
                continue
            except UNREADABLE as failure:
                # One entry must not cost us its neighbours.
                _log.exception("an entry of executions could not be read: %.500r", entry)
                yield StreamGap(f"an entry could not be read: {failure!r}")
                continue
            if report is not None:
                if self._stamps_are_wall_clock and not snapshot:
                    measure_delivery("execution", entry.get("timestamp"))
                self._learn(report.order)
                expect_end(self._expected, self._views, report.order)
                yield report
                if is_unknown(entry):
                    _log.warning("executions say what we do not know: %.500r", entry)
                    yield StreamGap("an entry says what we do not know")


def _level(lost_at: float | None) -> int:
    return logging.WARNING if lost_at is None else logging.DEBUG
