"""Health and metrics of a worker process, served beside its event loop on a loopback port."""

import json
import socket
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from infra.runtime.http_guard import SECURITY_HEADERS, HttpGuard, sent_headers

SDK_METRICS_SECONDS = 1.0


@dataclass
class Health:
    """What a process says of itself. ``checks`` maps each part to ``ok`` or what is wrong."""

    checks: dict[str, str] = field(default_factory=dict)
    lesser_forms: list[str] = field(default_factory=list)

    @property
    def is_ready(self) -> bool:
        """Tell whether every part is in order."""
        return bool(self.checks) and all(result == "ok" for result in self.checks.values())

    def report(self) -> dict[str, Any]:
        """Return the body of ``/readyz``."""
        return {
            "status": "ready" if self.is_ready else "not ready",
            "checks": self.checks,
            "lesser_forms": self.lesser_forms,
        }


class HealthServer:
    """Serve ``/healthz``, ``/readyz`` and ``/metrics``; the last includes the Temporal SDK's."""

    def __init__(self, port: int, health: Health, sdk_metrics_port: int | None = None) -> None:
        self._health = health
        self._sdk_metrics_port = sdk_metrics_port
        self._guard = HttpGuard(port)
        self._server: WSGIServer = make_server(
            "127.0.0.1", port, self._answer, handler_class=_SilentHandler
        )
        self._thread = Thread(target=self._server.serve_forever, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        refused = self._guard.refusal(environ.get("REQUEST_METHOD", ""), sent_headers(environ))
        if refused is not None:
            start_response(f"{refused.status.value} {refused.status.phrase}", [])
            return [json.dumps({"status": refused.code}).encode()]
        path = environ.get("PATH_INFO", "/")
        status, kind, body = HTTPStatus.OK, "application/json", b""
        if path == "/healthz":
            body = json.dumps({"status": "alive"}).encode()
        elif path == "/readyz":
            ready = self._health.is_ready
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            body = json.dumps(self._health.report()).encode()
        elif path == "/metrics":
            kind, body = CONTENT_TYPE_LATEST, generate_latest() + self._sdk_metrics()
        else:
            status, body = HTTPStatus.NOT_FOUND, json.dumps({"status": "not found"}).encode()
        start_response(
            f"{status.value} {status.phrase}", [("Content-Type", kind), *SECURITY_HEADERS.items()]
        )
        return [body]

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


def free_loopback_port() -> int:
    """Return a port that is free now: for the SDK's metrics, which only this process reads."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _SilentHandler(WSGIRequestHandler):
    """Write no line per request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base's name
        """Drop the line."""
