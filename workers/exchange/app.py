"""The web application: both planes of Kraken, control and CoinGecko on one port of loopback."""

from collections.abc import Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from models.simulation.events import Event
from models.simulation.public.market import PublicChange
from workers.exchange.authentication import Tokens
from workers.exchange.coingecko.endpoints import CoinGecko
from workers.exchange.control.endpoint import Control
from workers.exchange.control.keys import KeyDesk
from workers.exchange.faults import Faults
from workers.exchange.guard import add_security_headers, is_control
from workers.exchange.health import PATHS, ExchangeHealth
from workers.exchange.rest.private_rest import PrivateRest
from workers.exchange.rest.public_rest import PublicRest
from workers.exchange.runtime import Exchange
from workers.exchange.websocket.private_ws import PrivateStreams
from workers.exchange.websocket.public_ws import PublicStreams

MAXIMUM_BODY = 1_000_000
HEALTH: web.AppKey[ExchangeHealth] = web.AppKey("health", ExchangeHealth)
# Some clients append /v2 to the address they are given; it works with and without it.
PUBLIC_PATHS = ("/", "/v2", "/v2/v2")
PRIVATE_PATHS = ("/private", "/private/v2", "/private/v2/v2")


def build_app(
    exchange: Exchange, speed: str, guard: Middleware, accounts_file: Path | None = None
) -> web.Application:
    """Return the application that serves an exchange; ``guard`` stands before everything.

    ``accounts_file`` is where keys that are issued are kept. ``HEALTH`` in it is told what moves
    the market.
    """
    faults = Faults()
    tokens = Tokens(exchange.token_secret, exchange.clock, exchange.authenticator)
    public, private = (
        PublicStreams(exchange.public, faults),
        PrivateStreams(exchange, tokens, faults),
    )

    def tell(events: Sequence[Event], change: PublicChange) -> None:
        private.publish(events, change)
        public.publish(change)

    exchange.listeners.append(tell)
    app = web.Application(middlewares=[guard, _refusing(faults)], client_max_size=MAXIMUM_BODY)
    app.on_response_prepare.append(add_security_headers)
    PublicRest(exchange.public, exchange.clock, faults).add_routes(app)
    app.router.add_route(
        "*", "/0/private/{method:.+}", PrivateRest(exchange, tokens, faults).handle
    )
    CoinGecko(exchange.public, exchange.clock, faults).add_routes(app)
    Control(exchange, faults, public, private, speed).add_routes(app)
    KeyDesk(exchange.authenticator, accounts_file).add_routes(app)
    connected = {"public": public.connected, "private": private.connected}
    app[HEALTH] = ExchangeHealth(exchange, connected)
    app[HEALTH].add_routes(app)
    for path in PUBLIC_PATHS:
        app.router.add_get(path, public.handle)
    for path in PRIVATE_PATHS:
        app.router.add_get(path, private.handle)

    async def cut_sockets(_: web.Application) -> None:
        public.abort_all()
        private.abort_all()

    app.on_shutdown.append(cut_sockets)
    return app


def _refusing(faults: Faults) -> Middleware:
    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Cut connections while a scripted fault refuses them; control and health are not."""
        plane = _plane(request.path)
        if plane is not None and faults.rules and faults.refuses(plane):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        return await handler(request)

    return refuse


def _plane(path: str) -> str | None:
    if is_control(path) or path in PATHS:
        return None
    if path in PRIVATE_PATHS:
        return "private"
    return "public" if path in PUBLIC_PATHS else "rest"
