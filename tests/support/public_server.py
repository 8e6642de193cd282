"""The public endpoints on a real server, over a market that tests move by hand."""

import json
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
from aiohttp import web

from tests.support.public_market import OpenMarket
from workers.exchange.clock import ProtocolClock
from workers.exchange.coingecko.endpoints import CoinGecko
from workers.exchange.coingecko.errors import Limiter
from workers.exchange.faults import Faults
from workers.exchange.rest.public_rest import PublicRest
from workers.exchange.websocket.public_ws import PublicStreams


class PublicServer:
    def __init__(self, market, session, limiter):
        self.market = market
        self.faults = Faults()
        self.clock = ProtocolClock()
        self.streams = PublicStreams(market.public, self.faults)
        self.app = web.Application()
        self.app.router.add_get("/v2", self.streams.handle)
        PublicRest(market.public, self.clock, self.faults).add_routes(self.app)
        CoinGecko(market.public, self.clock, self.faults, limiter).add_routes(self.app)
        self.session = session
        self.port = 0

    @property
    def feed(self):
        return f"ws://127.0.0.1:{self.port}/v2"

    async def get(self, path, **query):
        async with self.session.get(f"http://127.0.0.1:{self.port}{path}", params=query) as answer:
            return answer.status, json.loads(await answer.text())

    async def public(self, method, **query):
        status, body = await self.get(f"/0/public/{method}", **query)
        assert status == 200
        return body

    async def result(self, method, **query):
        body = await self.public(method, **query)
        assert body["error"] == []
        return body["result"]

    def publish(self, change):
        self.streams.publish(change)

    @asynccontextmanager
    async def socket(self):
        async with self.session.ws_connect(self.feed) as socket:
            yield PublicSocket(socket)


class PublicSocket:
    def __init__(self, socket):
        self.raw = socket

    async def ask(self, method, **request):
        await self.raw.send_str(json.dumps({"method": method, **request}))

    async def subscribe(self, channel, symbol=None, req_id=1, method="subscribe", **params):
        about = {"channel": channel, **params}
        if symbol is not None:
            about["symbol"] = symbol if isinstance(symbol, list) else [symbol]
        await self.ask(method, params=about, req_id=req_id)

    async def text(self):
        return await self.raw.receive_str(timeout=5)

    async def next(self, channel=None, method=None):
        """Return the next frame of a channel or the next answer to a method, passing others by."""
        while True:
            frame = json.loads(await self.text(), parse_float=Decimal)
            if channel is None and method is None:
                return frame
            if channel is not None and frame.get("channel") == channel and "method" not in frame:
                return frame
            if method is not None and frame.get("method") == method:
                return frame


@asynccontextmanager
async def a_public_server(market=None, limiter=None):
    market = market or OpenMarket()
    async with aiohttp.ClientSession() as session:
        server = PublicServer(market, session, limiter or Limiter())
        runner = web.AppRunner(server.app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.port = runner.addresses[0][1]
        try:
            yield server
        finally:
            await runner.cleanup()
