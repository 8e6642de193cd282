"""The public side of Kraken as the port ``MarketFeed``: one socket, reconnected for ever."""

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.errors import reading
from activities.adapters.kraken.feed_rows import TradeGap, missed_ticks
from activities.adapters.kraken.feed_state import FeedState
from activities.adapters.kraken.instruments import (
    closed_candles,
    pair_quotes,
    usd_spot_instruments,
)
from activities.adapters.kraken.transport import Timeouts, Transport
from activities.adapters.kraken.websocket import (
    SILENCE_SECONDS,
    Backoff,
    ConnectionLimiter,
    Socket,
)
from activities.ports import ExchangeUnavailableError, Fence, MarketEvent, RateLimitedError, Tick
from activities.rules_ports import PairQuote
from models.trading.instruments import Instrument
from models.trading.market import Candle

# A thousand trades each; a longer gap is left to the candles.
_MISSED_PAGES = 10

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
        answer = await self._transport.public("AssetPairs")
        with reading("AssetPairs"):
            return usd_spot_instruments(answer)

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
        state = FeedState(tuple(symbols), interval_minutes, self._depth)
        self.heard_at = state.heard_at
        backoff = Backoff()
        while True:
            try:
                await self._learn_instruments(state)
                async with aclosing(self._connection(state, backoff)) as connection:
                    async for event in connection:
                        yield event
            except (ExchangeUnavailableError, RateLimitedError) as failure:
                _log.warning("public feed: %s", failure)
                for event in state.disconnected(str(failure)):
                    yield event
            await backoff.wait()

    async def _learn_instruments(self, state: FeedState) -> None:
        if not state.knows_instruments:
            state.learn_instruments(await self.instruments())

    async def _connection(
        self, state: FeedState, backoff: Backoff
    ) -> AsyncGenerator[MarketEvent, None]:
        socket = await Socket.open(self._url, self._allowed, self._limiter, self._silence)
        self.connections += 1
        try:
            await self._subscribe(socket, state)
            while True:
                for frame in await socket.frames():
                    for event in state.take(frame):
                        yield event
                backoff.reset()
                for event in state.best_prices():
                    yield event
                for gap in state.take_gaps():
                    for event in await self._missed(gap):
                        yield event
                for fence in self._fences(state):
                    yield fence
                self.checksum_failures = state.checksum_failures
                for request in state.take_requests():
                    await socket.send(request)
        finally:
            self._socket = None
            await socket.close()

    async def _subscribe(self, socket: Socket, state: FeedState) -> None:
        for request in state.subscriptions():
            await socket.send(request)
        self._socket = socket
        if self._fence_asked is not None:
            await self.request_fence(self._fence_asked)

    def _fences(self, state: FeedState) -> Iterator[Fence]:
        # The server answers in order: before this pong came all that it sent earlier.
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

    async def _missed(self, gap: TradeGap) -> list[Tick]:
        """Return the trades that a reconnection's snapshot was too short to show."""
        missed: dict[int, Tick] = {}
        since = gap.since_nanoseconds
        for _ in range(_MISSED_PAGES):
            answer = await self._transport.public("Trades", {"pair": gap.symbol, "since": since})
            with reading("Trades"):
                ticks, last = missed_ticks(answer, gap), str(answer["last"])
            missed.update({tick.trade_id: tick for tick in ticks})
            if last == since or not ticks or gap.before_id - 1 in missed:
                break
            since = last
        return [missed[trade_id] for trade_id in sorted(missed)]

    async def close(self) -> None:
        """Release the connections of the REST side; streams end with their consumers."""
        await self._transport.close()
