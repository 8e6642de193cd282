"""One WebSocket v2 connection: bounded connecting, reading without blocking, death by silence."""

import asyncio
import json
import random  # noqa: TID251 - pauses that differ between clients
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from activities.adapters.kraken.addresses import AllowedHosts
from activities.ports.exchange_errors import ExchangeUnavailableError

_CONNECT_SECONDS = 3.0
_SEND_SECONDS = 3.0
# A heartbeat comes every second once anything is subscribed (§12).
SILENCE_SECONDS = 5.0
# Looks per span of silence: the death is noticed at most one look late.
_LOOKS = 5
# Frames read ahead of whoever consumes them; beyond it TCP slows the sender down.
_READ_AHEAD = 20_000


class _DirectConnect(connect):
    """Connect to the address that was checked and to no other."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect as the failure that it is: its target was not checked."""
        return exc


class ConnectionLimiter:
    """Keep connection attempts of this machine under Cloudflare's ban (150 in 10 min, §4.3).

    Half of what is allowed may come at once, the other half comes spread over the window: a long
    outage is met by an attempt now and then, and not by a burst with a long silence after it.
    """

    def __init__(
        self,
        maximum: int = 120,
        window_seconds: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = maximum / 2
        self._refill = maximum / 2 / window_seconds
        self._clock = clock
        self._left = self._burst
        self._at = clock()

    def reserve(self) -> float:
        """Count an attempt and return how many seconds it has to wait for its turn."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._refill) - 1
        self._at = now
        return max(0.0, -self._left / self._refill)

    async def admit(self) -> None:
        """Wait until another attempt is allowed and count it."""
        wait = self.reserve()
        try:
            await asyncio.sleep(wait)
        except asyncio.CancelledError:
            self._left += 1
            raise


class Backoff:
    """Delays between attempts: at once a few times, then longer, with jitter; reset by success.

    For a minute or two they stay below the time in which a position must be protected again.
    """

    _STEPS = (0.05, 0.2, 0.4, 0.8, 1.0, 1.0, 2.0, *(3.2,) * 30, 5.0, 8.0, 15.0)

    def __init__(self) -> None:
        self._attempt = 0

    def reset(self) -> None:
        """Begin again: the last connection worked."""
        self._attempt = 0

    async def wait(self) -> None:
        """Sleep until the next attempt is due."""
        step = self._STEPS[min(self._attempt, len(self._STEPS) - 1)]
        self._attempt += 1
        # Jitter spreads the reconnections of many clients; nothing secret hangs on it.
        await asyncio.sleep(step * random.uniform(0.85, 1.15))  # noqa: S311


class Socket:
    """A connection whose frames are read ahead, so that a burst can be dealt with in one turn."""

    def __init__(self, connection: ClientConnection, silence_seconds: float) -> None:
        self._connection = connection
        self._silence = silence_seconds
        self._frames: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._ended: str | None = None
        self._woken = False
        self._received = 0
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]

    @classmethod
    async def open(
        cls,
        url: str,
        allowed: AllowedHosts,
        limiter: ConnectionLimiter,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> "Socket":
        """Connect to an allowed address.

        Raises:
            ForbiddenAddressError: the address is not allowed.
            ExchangeUnavailableError: no connection came about.
        """
        allowed.check(url)
        await limiter.admit()
        try:
            # A proxy would lead to a host that was not checked.
            async with asyncio.timeout(_CONNECT_SECONDS):
                connection = await _DirectConnect(
                    url,
                    proxy=None,
                    compression=None,
                    max_size=16 * 2**20,
                    open_timeout=_CONNECT_SECONDS,
                    close_timeout=1,
                )
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed, EOFError) as failure:
            raise ExchangeUnavailableError(f"no WebSocket connection: {failure!r}") from failure
        return cls(connection, silence_seconds)

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send one request; ExchangeUnavailableError when the connection is gone, or takes none."""
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._connection.send(json.dumps(message))
        except TimeoutError as failure:
            raise ExchangeUnavailableError("the WebSocket takes no requests") from failure
        except ConnectionClosed as failure:
            raise ExchangeUnavailableError(f"the WebSocket closed: {failure}") from failure

    async def frames(self, within: float | None = None) -> list[bytes]:
        """Return all frames that have arrived, waiting for at least one.

        An empty list comes after ``wake``.

        Args:
            within: seconds after which an empty list is returned instead; None waits on.

        Raises:
            ExchangeUnavailableError: the connection ended, or nothing came for too long.
        """
        while not self._frames and not self._woken:
            if self._ended is not None:
                raise ExchangeUnavailableError(self._ended)
            self._arrived.clear()
            try:
                async with asyncio.timeout(within):
                    await self._arrived.wait()
            except TimeoutError:
                break
        self._woken = False
        taken = list(self._frames)
        self._frames.clear()
        self._taken.set()
        return taken

    def wake(self) -> None:
        """Have ``frames`` return at once: something else than a frame wants to be dealt with."""
        self._woken = True
        self._arrived.set()

    def disregard(self, frames: int) -> None:
        """Do not count frames as signs of life: they only answered our own questions."""
        self._received -= frames

    async def close(self) -> None:
        """Close the connection and end the reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()

    async def _read(self) -> None:
        frames, arrived = self._frames, self._arrived
        try:
            while True:
                frame = await self._connection.recv(decode=False)
                frames.append(frame)
                self._received += 1
                arrived.set()
                if len(frames) >= _READ_AHEAD:
                    self._taken.clear()
                    await self._taken.wait()
        except ConnectionClosed as failure:
            self._end(f"disconnected: {failure}")

    async def _watch(self) -> None:
        before, quiet = self._received, 0
        while self._ended is None and quiet < _LOOKS:
            await asyncio.sleep(self._silence / _LOOKS)
            # Frames that nobody has taken yet are a slow consumer, not a silent exchange.
            quiet = quiet + 1 if self._received <= before and not self._frames else 0
            before = self._received
        self._end(f"silence for {self._silence:g} s")

    def _end(self, reason: str) -> None:
        self._ended = self._ended or reason
        self._arrived.set()
