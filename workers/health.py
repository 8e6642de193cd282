"""Health and metrics of a worker process, served beside its event loop on a loopback port."""

import asyncio
import json
import socket
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Thread
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from infra.runtime.http.guard import SECURITY_HEADERS, HttpGuard
from infra.runtime.http.limits import limited_config

SDK_METRICS_SECONDS = 1.0
BACKLOG = 2_048

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass
class Health:
    """What a process says of itself. ``checks`` maps each part to ``ok`` or what is wrong.

    ``silent_workflows`` are those that should run and do not, or do not answer, with the reason.
    ``when_asked`` returns further checks, or other results of them, that are made anew each time.
    """

    checks: dict[str, str] = field(default_factory=dict)
    degraded_modes: list[str] = field(default_factory=list)
    silent_workflows: dict[str, str] = field(default_factory=dict)
    when_asked: Callable[[], Mapping[str, str]] = dict

    def all_checks(self) -> dict[str, str]:
        """Return every check, those that are made now included."""
        return {**self.checks, **self.when_asked()}

    @property
    def is_ready(self) -> bool:
        """Tell whether every part is in order."""
        checks = self.all_checks()
        return bool(checks) and all(result == "ok" for result in checks.values())

    def report(self) -> dict[str, Any]:
        """Return the body of ``/readyz``."""
        return {
            "status": "ready" if self.is_ready else "not ready",
            "checks": self.all_checks(),
            "degraded_modes": self.degraded_modes,
            "silent_workflows": self.silent_workflows,
        }


class HealthServer:
    """Serve ``/healthz``, ``/readyz`` and ``/metrics``; the last includes the Temporal SDK's.

    It has an event loop and a thread of its own, so that it answers while the process's loop is
    busy, and serves many at once within the limits of ``infra.runtime.http.limits``: who connects
    and sends nothing holds nobody up.
    """

    def __init__(
        self,
        port: int,
        health: Health,
        sdk_metrics_port: int | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._health = health
        self._registry = registry
        self._sdk_metrics_port = sdk_metrics_port
        self._guard = HttpGuard(port)
        self._socket = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        options = {"interface": "asgi3", "lifespan": "off", "ws": "none", "loop": "asyncio"}
        config = limited_config(self._answer, port, **options)
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._serve, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        # Signals are for the process's own loop: uvicorn takes them in the main thread only.
        self._server.run(sockets=[self._socket])

    async def _answer(self, scope: Message, _receive: Receive, send: Send) -> None:
        sent = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        refused = self._guard.refusal(scope["method"], sent)
        if refused is not None:
            body = json.dumps({"status": refused.code}).encode()
            await _respond(send, refused.status, "application/json", body)
            return
        status, kind, body = HTTPStatus.OK, "application/json", b""
        path = scope["path"]
        if path == "/healthz":
            body = json.dumps({"status": "alive"}).encode()
        elif path == "/readyz":
            ready = self._health.is_ready
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            body = json.dumps(self._health.report()).encode()
        elif path == "/metrics":
            sdk = await asyncio.to_thread(self._sdk_metrics)
            kind, body = CONTENT_TYPE_LATEST, generate_latest(self._registry) + sdk
        else:
            status, body = HTTPStatus.NOT_FOUND, json.dumps({"status": "not found"}).encode()
        await _respond(send, status, kind, body)

    def _sdk_metrics(self) -> bytes:
        if self._sdk_metrics_port is None:
            return b""
        url = f"http://127.0.0.1:{self._sdk_metrics_port}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=SDK_METRICS_SECONDS) as answer:
                content: bytes = answer.read()
        except OSError:
            return b""
        return content


async def _respond(send: Send, status: HTTPStatus, kind: str, body: bytes) -> None:
    headers = [("content-type", kind), ("content-length", str(len(body)))]
    headers += [(name.lower(), value) for name, value in SECURITY_HEADERS.items()]
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": int(status), "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def free_loopback_port() -> int:
    """Return a port that is free now: for the SDK's metrics, which only this process reads."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
