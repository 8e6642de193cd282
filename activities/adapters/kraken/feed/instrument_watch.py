"""The channel ``instrument`` for a process that follows no prices: it must know the pairs too."""

import logging

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.errors import UNREADABLE, ForbiddenAddressError
from activities.adapters.kraken.feed.rows import exactly
from activities.adapters.kraken.pair_rules import PairRules
from activities.adapters.kraken.websocket import (
    SILENCE_SECONDS,
    Backoff,
    ConnectionLimiter,
    Socket,
)
from activities.ports.exchange_errors import ExchangeError, ExchangeUnavailableError

_log = logging.getLogger(__name__)

CONNECTIONS_MAXIMUM = 20
"""In ten minutes, of the 150 that Cloudflare lets a machine try: others need the rest."""


class InstrumentWatch:
    """Tell the rules of the pairs what the exchange tells of them, across reconnections.

    Whatever is missed while there is no connection is in the snapshot of the next one.
    """

    def __init__(
        self,
        url: str,
        allowed: AllowedHosts,
        rules: PairRules,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """``url`` is that of the public WebSocket; ``silence_seconds`` without a frame end it."""
        self._url = url
        self._allowed = allowed
        self._rules = rules
        self._silence = silence_seconds
        self._limiter = ConnectionLimiter(CONNECTIONS_MAXIMUM)

    async def run(self) -> None:
        """Follow until cancelled; an address that is not allowed ends it."""
        backoff = Backoff()
        while True:
            try:
                await self._follow(backoff)
            except ForbiddenAddressError:
                raise
            except ExchangeError as failure:
                _log.info("the channel instrument: %s", failure)
            await backoff.wait()

    async def _follow(self, backoff: Backoff) -> None:
        socket = await Socket.open(self._url, self._allowed, self._limiter, self._silence)
        try:
            await socket.send({"method": "subscribe", "params": {"channel": "instrument"}})
            while True:
                for frame in await socket.frames():
                    if self._take(frame):
                        backoff.reset()
        finally:
            await socket.close()

    def _take(self, frame: bytes) -> bool:
        """Learn what a frame tells; False when it tells nothing of pairs."""
        try:
            message = exactly(frame)
            if message.get("success") is False:
                raise ExchangeUnavailableError(str(message.get("error")))
            if message.get("channel") != "instrument":
                return False
            self._rules.learn_rows(message["data"].get("pairs") or ())
        except UNREADABLE:
            _log.exception("an instrument frame could not be read: %.500r", frame)
            return False
        return True
