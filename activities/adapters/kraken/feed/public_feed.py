"""The public side of Kraken as the port ``MarketFeed``: one socket, reconnected for ever."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.errors import ForbiddenAddressError, reading
from activities.adapters.kraken.feed.missed_trades import MissedTrades
from activities.adapters.kraken.feed.state import FeedState
from activities.adapters.kraken.instruments import closed_candles, pair_quotes
from activities.adapters.kraken.pair_rules import PairRules
from activities.adapters.kraken.rest.transport import Timeouts, Transport
from activities.adapters.kraken.websocket import (
    SILENCE_SECONDS,
    Backoff,
    ConnectionLimiter,
    Socket,
)
from activities.ports.exchange_errors import ExchangeError, ExchangeUnavailableError
from activities.ports.market import Fence, MarketEvent
from activities.ports.rules import PairQuote
from models.trading.instruments import Instrument
from models.trading.market import Candle

_LOOK_SECONDS = 0.5
"""How often is looked whether something broken is due, though no frame comes."""

_log = logging.getLogger(__name__)


class KrakenMarketFeed:
    """Implement ``ports.MarketFeed``. Holds no key, so it cannot create or change an order."""

    def __init__(
        self,
        rest: str,
        public_ws: str,
        allowed: AllowedHosts,
        limiter: ConnectionLimiter | None = None,
        depth: int = 10,
        silence_seconds: float = SILENCE_SECONDS,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._transport = Transport(rest, allowed, timeouts=timeouts)
        self.rules = PairRules(self._transport.public, assets=False)
        self._beside: set[asyncio.Task[None]] = set()
        self._url = public_ws
        self._allowed = allowed
        self._limiter = limiter or ConnectionLimiter()
        self._depth = depth
        self._silence = silence_seconds
        self._socket: Socket | None = None
        self._fence_asked: int | None = None
        # For metrics: when each symbol was last heard of, connections made, checksum failures.
        self.heard_at: Mapping[str, float] = {}
        self.connections = 0
        self.checksum_failures = 0

    async def instruments(self) -> dict[str, Instrument]:
        """Return the USD spot pairs by symbol."""
        await self.rules.read()
        return self.rules.listed

    async def quotes(self) -> dict[str, PairQuote]:
        """Return the day's volume in USD and the spread of every pair, by symbol."""
        pairs = await self.instruments()
        answer = await self._transport.public("Ticker")
        with reading("Ticker"):
            return pair_quotes(answer, pairs)

    async def history(self, symbol: str, interval_minutes: int) -> list[Candle]:
        """Return recent closed bars, oldest first (at most 719: the last row is forming)."""
        answer = await self._transport.public(
            "OHLC", {"pair": symbol, "interval": interval_minutes}
        )
        with reading("OHLC"):
            return closed_candles(answer, symbol, interval_minutes)

    async def events(
        self, symbols: Sequence[str], interval_minutes: int
    ) -> AsyncGenerator[MarketEvent, None]:
        """Stream the market; reconnects by itself and reports the gap as FeedStatus.

        The first status of every symbol comes once its book is known or the exchange is missed.
        """
        state = FeedState(tuple(symbols), interval_minutes, self._depth, self.rules)
        self.heard_at = state.heard_at
        backoff = Backoff()
        missed = MissedTrades(self._transport.public, self._wake)
        asking = asyncio.create_task(missed.run())
        try:
            while True:
                try:
                    await self.rules.settle()
                    for event in state.follow_rules():
                        yield event
                    async with aclosing(self._connection(state, missed, backoff)) as connection:
                        async for event in connection:
                            yield event
                except ForbiddenAddressError:
                    raise
                except ExchangeError as failure:
                    # Whatever the exchange says, the next attempt may be answered otherwise.
                    _log.warning("public feed: %s", failure)
                    for event in state.disconnected(str(failure)):
                        yield event
                await backoff.wait()
        finally:
            for task in (asking, *self._beside):
                task.cancel()

    async def _connection(
        self, state: FeedState, missed: MissedTrades, backoff: Backoff
    ) -> AsyncGenerator[MarketEvent, None]:
        socket = await Socket.open(self._url, self._allowed, self._limiter, self._silence)
        self.connections += 1
        try:
            await self._subscribe(socket, state)
            while True:
                for frame in await socket.frames(_LOOK_SECONDS):
                    for event in state.take(frame):
                        yield event
                for event in self._aside(state, missed):
                    yield event
                for event in state.best_prices():
                    yield event
                for fence in self._fences(state, missed):
                    yield fence
                self.checksum_failures = state.checksum_failures
                if state.is_fed:
                    backoff.reset()
                for request in state.take_requests():
                    await socket.send(request)
                if state.wants_system:
                    self._ask_system(state)
        finally:
            self._socket = None
            await socket.close()

    def _aside(self, state: FeedState, missed: MissedTrades) -> Iterator[MarketEvent]:
        """Return what came of the questions beside the stream; none is waited for here."""
        missed.add(state.take_gaps())
        yield from missed.take_found()
        self.rules.refresh_if_old()
        yield from state.follow_rules()
        yield from state.take_statuses()

    def _wake(self) -> None:
        if self._socket is not None:
            self._socket.wake()

    def _ask_system(self, state: FeedState) -> None:
        """Ask for the mode of the exchange, beside the stream: its end may not have been told."""
        state.wants_system = False
        task = asyncio.create_task(self._learn_system(state))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def _learn_system(self, state: FeedState) -> None:
        with suppress(ExchangeError), reading("SystemStatus"):
            answer: Mapping[str, Any] = await self._transport.public("SystemStatus")
            state.learn_system(str(answer["status"]))
            self._wake()

    async def _subscribe(self, socket: Socket, state: FeedState) -> None:
        for request in state.subscriptions():
            await socket.send(request)
        self._socket = socket
        if self._fence_asked is not None:
            await self.request_fence(self._fence_asked)

    def _fences(self, state: FeedState, missed: MissedTrades) -> Iterator[Fence]:
        # The server answers in order: before this pong came all that it sent earlier. What it
        # skipped is part of that.
        if not missed.is_complete:
            return
        for number in state.take_pongs():
            if number == self._fence_asked:
                self._fence_asked = None
            yield Fence(number)

    async def request_fence(self, number: int) -> None:
        """Have ``events`` yield ``Fence(number)`` after all that was sent before this call.

        A connection that is lost before it answers is asked anew when it is back.
        """
        self._fence_asked = number
        if self._socket is not None:
            with suppress(ExchangeUnavailableError):
                await self._socket.send({"method": "ping", "req_id": number})

    async def close(self) -> None:
        """Release the connections of the REST side; streams end with their consumers."""
        await self.rules.close()
        await self._transport.close()
