"""Health and figures of the simulator, told on its own port beside Kraken's protocol."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from workers.exchange.runtime import Exchange
from workers.exchange.wire import dump
from workers.upkeep.process_figures import ProcessFigures

PATHS = ("/healthz", "/readyz", "/metrics")


class SimulatorFigures(ProcessFigures):
    """What the simulator tells of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Gauge(
            "aether_simulator_steps_count",
            "Steps that the simulated market has made since it was first opened",
            registry=self.registry,
        )
        self.connections = Gauge(
            "aether_simulator_connections_count",
            "WebSocket connections that are open",
            ("plane",),
            registry=self.registry,
        )
        self.open_orders = Gauge(
            "aether_simulator_open_orders_count",
            "Orders that rest at the simulated exchange",
            ("account",),
            registry=self.registry,
        )


class ExchangeHealth:
    """Answers ``/healthz``, ``/readyz`` and ``/metrics``.

    ``tasks`` are what keeps the market and its timers moving, each by its name; one that has ended
    though the market has not is why the exchange is not ready.
    """

    def __init__(self, exchange: Exchange, connected: Mapping[str, Callable[[], int]]) -> None:
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._exchange = exchange
        self._figures = figures = SimulatorFigures()
        figures.steps.set_function(lambda: exchange.steps)
        for plane, count in connected.items():
            figures.connections.labels(plane).set_function(count)
        for name in exchange.venue.accounts:
            resting = partial(exchange.venue.open_order_count, name)
            figures.open_orders.labels(name).set_function(resting)

    def add_routes(self, app: web.Application) -> None:
        """Add the three paths to an application."""
        for path, answer in zip(PATHS, (self._alive, self._ready, self._metrics), strict=True):
            app.router.add_get(path, answer)

    def checks(self) -> dict[str, str]:
        """Return for each part ``ok`` or what is wrong."""
        if not self.tasks:
            return {"market": "starting"}
        return {name: self._state_of(name, task) for name, task in self.tasks.items()}

    def _state_of(self, name: str, task: asyncio.Task[None]) -> str:
        if not task.done() or (name == "market" and self._exchange.finished):
            return "ok"
        failure = None if task.cancelled() else task.exception()
        return "has stopped" if failure is None else f"has stopped: {failure!r}"

    async def _alive(self, _: web.Request) -> web.Response:
        return _json({"status": "alive"})

    async def _ready(self, _: web.Request) -> web.Response:
        checks = self.checks()
        ready = all(result == "ok" for result in checks.values())
        body = {"status": "ready" if ready else "not ready", "checks": checks}
        return _json(body, HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _metrics(self, _: web.Request) -> web.Response:
        for part, result in self.checks().items():
            self._figures.ready.labels(part).set(result == "ok")
        told = generate_latest(self._figures.registry)
        return web.Response(body=told, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _json(body: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(status=status, body=dump(body), content_type="application/json")
