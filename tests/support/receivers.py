"""Real servers that messages and traces are handed to: what arrived, and how they answer."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    form: dict[str, str]


@dataclass
class Receiver:
    """An HTTP server on loopback; ``answers`` are given in turn, the last one for good."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, Any, dict[str, str]]] = field(
        default_factory=lambda: [(200, {"ok": True}, {})]
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, *answers: int | tuple[int, Any, dict[str, str]]) -> None:
        self.answers = [
            one if isinstance(one, tuple) else (one, {"ok": True}, {}) for one in answers
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        form = dict(await request.post()) if "form" in request.content_type else {}
        self.received.append(Received(request.path_qs, dict(request.headers), body, form))
        status, content, headers = self.answers[0]
        if len(self.answers) > 1:
            self.answers.pop(0)
        return web.json_response(content, status=status, headers=headers)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Run a server for as long as the block lasts."""
    found = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{anything:.*}", found.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = site._server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        await runner.cleanup()


class FixedSecrets:
    """Secrets of providers that a test has chosen."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = {name.replace("_", "-"): value for name, value in secrets.items()}

    async def provider_secret(self, name: str) -> str | None:
        return self.secrets.get(name)


@dataclass(frozen=True)
class Told:
    """One span as it came over the wire."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    attributes: dict[str, str]
    failed: bool


@dataclass
class Collector:
    """A collector of traces that takes OTLP over HTTP: what it was told, and where."""

    url: str
    spans: list[Told] = field(default_factory=list)

    def named(self, start: str) -> list[Told]:
        return [span for span in self.spans if span.name.startswith(start)]


@contextmanager
def collector() -> Iterator[Collector]:
    """Serve on a free port of this machine."""
    told = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.spans += _spans(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    told.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def _spans(request: ExportTraceServiceRequest) -> list[Told]:
    return [
        Told(
            _texts(resource.resource.attributes)["service.name"],
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            _texts(span.attributes),
            span.status.code == 2,
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _texts(attributes: object) -> dict[str, str]:
    return {one.key: one.value.string_value or str(one.value.int_value) for one in attributes}
