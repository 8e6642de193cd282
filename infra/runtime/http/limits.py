"""Limits for whoever connects to a port of ours: a request arrives in full soon, or is cut off.

Neither uvicorn nor aiohttp limits how long a connection may take to send its first request: their
limits begin with it. Connections that send nothing would else use up the process's descriptors,
and a server that reads one at a time would wait for the first of them.
"""

import asyncio
import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS = 10.0
"""How long headers and body of one request may take to arrive."""

UNREAD_SECONDS = 30.0
"""How long an answer may lie unread."""

WAITING_MAXIMUM = 200
"""Connections without a whole request yet; one more ends the oldest of them."""

SWEEP_SECONDS = 1.0
DESCRIPTORS_WANTED = 65_536


class Connection(Protocol):
    """A connection as it is guarded: what it is doing is asked of the server that reads it."""

    @property
    def waits_for_request(self) -> bool:
        """Tell whether a request is due of which something is missing, headers or body."""
        ...

    @property
    def guarded_transport(self) -> asyncio.Transport | None:
        """Return the transport, None once it is lost."""
        ...


@dataclass
class _Seen:
    waits_since: float
    unread_since: float | None = None


class ConnectionGuard:
    """Watches the connections of one server; lives in the server's event loop."""

    def __init__(
        self,
        request_seconds: float = REQUEST_SECONDS,
        unread_seconds: float = UNREAD_SECONDS,
        waiting_maximum: int = WAITING_MAXIMUM,
    ) -> None:
        self._request_seconds = request_seconds
        self._unread_seconds = unread_seconds
        self._waiting_maximum = waiting_maximum
        # In the order in which they came; a dictionary, for connections end in any order.
        self._seen: dict[Connection, _Seen] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self.cut = 0

    def opened(self, connection: Connection) -> None:
        """Watch a connection from now on; end the oldest that sends nothing if there are many."""
        loop = asyncio.get_running_loop()
        self._seen[connection] = _Seen(loop.time())
        if len(self._seen) > self._waiting_maximum:
            waiting = [c for c in self._seen if c.waits_for_request]
            for oldest in waiting[: max(0, len(waiting) - self._waiting_maximum)]:
                self._cut(oldest)
        if self._sweeping is None:
            self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep)

    def closed(self, connection: Connection) -> None:
        """Watch a connection no more."""
        self._seen.pop(connection, None)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection, seen in list(self._seen.items()):
            if not connection.waits_for_request:
                seen.waits_since = now
            elif now - seen.waits_since > self._request_seconds:
                self._cut(connection)
                continue
            transport = connection.guarded_transport
            if transport is None or transport.get_write_buffer_size() == 0:
                seen.unread_since = None
            elif seen.unread_since is None:
                seen.unread_since = now
            elif now - seen.unread_since > self._unread_seconds:
                self._cut(connection)
        self._sweeping = loop.call_later(SWEEP_SECONDS, self._sweep) if self._seen else None

    def _cut(self, connection: Connection) -> None:
        self._seen.pop(connection, None)
        transport = connection.guarded_transport
        if transport is not None:
            transport.abort()
            self.cut += 1


def guarded_protocol(guard: ConnectionGuard) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol with its connections watched."""

    class GuardedProtocol(HttpToolsProtocol):
        @property
        def waits_for_request(self) -> bool:
            cycle = self.cycle
            if cycle is None or cycle.more_body:
                return True
            # Between two requests uvicorn has a limit of its own, which ends with the first byte.
            return cycle.response_complete and self.timeout_keep_alive_task is None

        @property
        def guarded_transport(self) -> asyncio.Transport | None:
            return self.transport

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            guard.opened(self)

        def connection_lost(self, exc: Exception | None) -> None:
            guard.closed(self)
            super().connection_lost(exc)

    return GuardedProtocol


def limited_config(app: Callable[..., Any], port: int, **options: Any) -> uvicorn.Config:
    """Return how uvicorn serves an application on loopback, within the limits."""
    return uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=guarded_protocol(ConnectionGuard()),
        log_config=None,
        access_log=False,
        **options,
    )


def allow_many_descriptors() -> None:
    """Raise the process's limit of open files as far as it may itself, to what is of use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(DESCRIPTORS_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
