"""A tiny HTTP and WebSocket server with scripted answers, for what a transport must endure."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def result(value: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": [], "result": value})

    return answer


def refusal(*errors: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": list(errors)})

    return answer


def status(code: int, body: str = "", headers: dict[str, str] | None = None) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=body, headers=headers)

    return answer


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    return web.Response()


class ScriptedExchange:
    """Answers each method from its queue, or with the standing answer; remembers what was asked."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}/v2"
        self.requests: list[tuple[str, dict[str, str], dict[str, str], str]] = []
        self.scripts: dict[str, deque[Answer]] = {}
        self.standing: dict[str, Answer] = {}
        self.sockets: list[web.WebSocketResponse] = []
        self.received: list[dict[str, Any]] = []
        self.on_subscribe: Callable[[dict[str, Any]], list[Any]] = lambda _: []
        self.changed = asyncio.Event()
        self._port = port
        self._runner: web.AppRunner | None = None

    def script(self, method: str, *answers: Answer) -> None:
        self.scripts.setdefault(method, deque()).extend(answers)

    def asked(self, method: str) -> list[dict[str, str]]:
        return [parameters for name, parameters, _, _ in self.requests if name == method]

    async def until(self, condition: Callable[[], Any], seconds: float = 5.0) -> None:
        """Wait for something that requests bring about."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/v2", self._socket)
        app.router.add_route("*", "/{path:.*}", self._http)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        assert self._runner is not None
        for socket in self.sockets:
            with suppress(ConnectionError):
                await socket.close()
        await self._runner.cleanup()

    async def _http(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        method = request.path.rsplit("/", 1)[-1]
        if request.content_type == "application/json":
            parameters = json.loads(body)
        else:
            parameters = dict(parse_qsl(body)) or dict(request.query)
        self.requests.append((method, parameters, dict(request.headers), body))
        self.changed.set()
        queue = self.scripts.get(method)
        answer = queue.popleft() if queue else self.standing.get(method, result({}))
        return await answer(request)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            asked = json.loads(message.data)
            self.received.append(asked)
            for frame in self.on_subscribe(asked):
                await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
            self.changed.set()
        return socket

    async def push(self, *frames: Any) -> None:
        for frame in frames:
            await self.sockets[-1].send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def drop(self) -> None:
        request = self.sockets[-1]._req
        assert request is not None
        transport = request.transport
        assert transport is not None
        transport.abort()
