"""``infra.runtime.http.limits`` for the exchange simulator's port, which aiohttp serves."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from infra.runtime.http.limits import ConnectionGuard


class GuardedHandler(RequestHandler):
    """A connection of the simulator, watched until its first request is there."""

    __slots__ = ("_guard", "_had_request")

    def __init__(self, guard: ConnectionGuard, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._guard = guard
        self._had_request = False

    @property
    def waits_for_request(self) -> bool:
        """Tell whether headers or body of a request are due; a socket's frames are no body."""
        request = self._current_request
        if request is None:
            # Between two requests aiohttp has a limit of its own.
            return not self._had_request
        return not isinstance(request, web.Request) or not request.content.is_eof()

    @property
    def guarded_transport(self) -> asyncio.Transport | None:
        """Return the transport, None once it is lost."""
        return self.transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Watch the connection."""
        super().connection_made(transport)
        self._guard.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Watch it no more."""
        self._guard.closed(self)
        super().connection_lost(exc)

    async def _handle_request(self, *request: Any, **options: Any) -> Any:
        self._had_request = True
        return await super()._handle_request(*request, **options)


async def listen(runner: web.AppRunner, host: str, port: int, backlog: int) -> asyncio.Server:
    """Serve a runner's application within the limits.

    Raises:
        OSError: the port cannot be used.
    """
    loop, guard, server = asyncio.get_running_loop(), ConnectionGuard(), runner.server
    assert server is not None

    def handler() -> GuardedHandler:
        return GuardedHandler(guard, server, loop=loop, access_log=None)

    return await loop.create_server(handler, host, port, backlog=backlog)
