"""Every way in which an account in simulation could try to reach Kraken: ``python -m …``.

Prints one line of JSON: what each route came to, which addresses the program asked the system for
beyond this machine, and which packets left it (``--watch-packets``, see ``packet_watch``).
"""

import asyncio
import base64
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web

from activities.adapters.kraken.addresses import (
    KRAKEN_ADDRESSES,
    AllowedHosts,
    ExchangeAddresses,
    guarded_session,
)
from activities.adapters.kraken.directory import KrakenDirectory, LiveGate
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.adapters.kraken.rest.transport import Timeouts
from activities.ports.exchange import Exchange, SentOrder
from activities.ports.exchange_errors import ExchangeError
from activities.ports.secrets import Credentials
from models.trading.orders import Leg, OrderSpec, OrderType, Side
from models.trading.risk.limits import Mode
from tests.support.exchange_server import keys_file, running
from tests.support.kraken_rows import an_order
from tests.support.packet_watch import PacketWatch

OUTSIDE_PROXY = "http://203.0.113.9:3128"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DISGUISES = (
    "https://api.kraken.com/0/private/AddOrder",
    "https://127.0.0.1@api.kraken.com/0/private/AddOrder",
    "https://localhost.kraken.com/0/private/AddOrder",
    "http://127.0.0.1.nip.io/0/private/AddOrder",
    "http://[2606:4700::6810:1]/0/private/AddOrder",
    "http://2130706434.kraken.com/",
    "http://0x68.0x10.0x0.0x1/0/private/AddOrder",
    "//api.kraken.com/0/private/AddOrder",
)

Outcomes = dict[str, str]


class Keys:
    """Keys of both modes; the live one is counted when it is asked for."""

    def __init__(self, simulated: Credentials) -> None:
        self._simulated = simulated
        self.live_asked = 0

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        """Return the account's key for a mode."""
        if mode is Mode.SIMULATED:
            return self._simulated
        self.live_asked += 1
        secret = base64.b64encode(secrets.token_bytes(64)).decode()
        return Credentials(secrets.token_hex(8), secret)


async def outcome(act: Callable[[], Awaitable[Any]]) -> str:
    """Return how an attempt ended, in one word."""
    try:
        async with asyncio.timeout(15):
            await act()
    except (ExchangeError, TimeoutError, ValueError) as error:
        return type(error).__name__
    return "done"


def calls(exchange: Exchange, entry: OrderSpec, order_id: str) -> dict[str, Any]:
    """Return a call of each method of the port, by name."""
    since = LONG_AGO

    async def executions() -> None:
        async for _ in exchange.executions():
            return

    return {
        "instruments": exchange.instruments,
        "fees": lambda: exchange.fees(["BTC/USD"]),
        "balances": exchange.balances,
        "submit": lambda: exchange.submit(entry, None),
        "find": lambda: exchange.find(entry, since),
        "appeared": lambda: exchange.appeared(entry, 0.05),
        "withdrawn": lambda: exchange.withdrawn(order_id),
        "proves_absence": lambda: exchange.proves_absence(SentOrder(entry, since, None, None)),
        "ended": lambda: exchange.ended(order_id, 0.05),
        "query": lambda: exchange.query([order_id]),
        "room_for_exit": lambda: exchange.room_for_exit("BTC/USD", [order_id]),
        "amend": lambda: exchange.amend(order_id, None, Decimal(19000)),
        "reprice": lambda: exchange.reprice(order_id, Decimal(19000), post_only=True),
        "cancel": lambda: exchange.cancel(order_id),
        "cancel_many": lambda: exchange.cancel_many([order_id]),
        "open_orders": exchange.open_orders,
        "closed_orders": lambda: exchange.closed_orders(since),
        "fills": lambda: exchange.fills(None),
        "fills_by_id": lambda: exchange.fills_by_id(["TAAAAA-AAAAA-AAAAAA"]),
        "ledger": lambda: exchange.ledger(None),
        "protecting": lambda: exchange.protecting().balances(),
        "hurried": lambda: exchange.hurried().balances(),
        "unhurried": lambda: exchange.unhurried().balances(),
        "executions": executions,
    }


def an_entry() -> OrderSpec:
    """Return a purchase far below the market, under ids of its own."""
    name = secrets.token_hex(4)
    client = f"{name}-0000-4000-8000-{secrets.token_hex(6)}"
    order = an_order(
        leg=Leg.ENTRY,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        limit_price=Decimal(20000),
        quantity=Decimal("0.01"),
    )
    return replace(order, client_order_id=client, userref=int(name, 16) % 2**31)


async def all_calls(directory: KrakenDirectory, prefix: str) -> Outcomes:
    """Try every method of an account's exchange."""
    found: Outcomes = {}
    try:
        exchange = await directory.exchange("company")
    except ExchangeError as error:
        return {f"{prefix} exchange": type(error).__name__}
    try:
        order_id = await exchange.submit(an_entry(), None)
    except ExchangeError:
        order_id = "OXXXXX-XXXXX-XXXXXX"
    for name, call in calls(exchange, an_entry(), order_id).items():
        found[f"{prefix} {name}"] = await outcome(call)
    await directory.close()
    return found


async def redirecting_server() -> tuple[web.AppRunner, ExchangeAddresses]:
    """Serve on loopback, sending everybody on to Kraken."""

    async def send_on(request: web.Request) -> web.StreamResponse:
        scheme = "wss://ws-auth.kraken.com" if "v2" in request.path else "https://api.kraken.com"
        raise web.HTTPTemporaryRedirect(scheme + request.path)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", send_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    place = f"127.0.0.1:{port}"
    return runner, ExchangeAddresses(f"http://{place}", f"ws://{place}/v2", f"ws://{place}/v2")


async def try_everything(directory: Path) -> tuple[Outcomes, int]:
    """Try every route and return what each came to, and how often a live key was asked for."""
    found: Outcomes = {}
    async with running(directory, accounts=keys_file(directory, tier="pro")) as simulator:
        told = simulator.server.describe()
        own = ExchangeAddresses(told["rest"], told["ws_public"], told["ws_private"])
        keys = Keys(Credentials(*simulator.keys["company"]))
        runner, elsewhere = await redirecting_server()

        async def simulated(_: str) -> Mode:
            return Mode.SIMULATED

        async def live(_: str) -> Mode:
            return Mode.LIVE

        def account(name: str, addresses: ExchangeAddresses, **options: Any) -> KrakenDirectory:
            state = directory / name
            state.mkdir()
            timeouts = Timeouts(connect=0.5, read=1.0)
            chosen = {"mode_of": simulated, "live": LiveGate(), **options}
            return KrakenDirectory(keys, addresses, state, timeouts=timeouts, **chosen)

        found |= await all_calls(account("own", own), "simulator")
        found |= await all_calls(account("misled", KRAKEN_ADDRESSES), "misled")
        misled_stream = replace(own, private_ws=KRAKEN_ADDRESSES.private_ws)
        found |= await all_calls(account("stream", misled_stream), "misled stream")
        found |= await all_calls(account("sent-on", elsewhere), "sent on")
        found |= await all_calls(account("no-gate", own, mode_of=live, live=None), "no gate")
        feed = KrakenMarketFeed(own.rest, own.public_ws, AllowedHosts.loopback())
        found["feed"] = await outcome(feed.instruments)
        await feed.close()
        found["feed misled"] = await outcome(_misled_feed)
        session = guarded_session(AllowedHosts.loopback())
        for url in DISGUISES:
            found[f"disguise {url}"] = await outcome(lambda url=url: _get(session, url))
        await runner.cleanup()
        # The other way round: what is live never talks to the simulator.
        gate = LiveGate(own)
        found |= await all_calls(account("wrong-way", own, mode_of=live, live=gate), "live misled")
        asked = keys.live_asked
    return found, asked


async def _misled_feed() -> None:
    KrakenMarketFeed(KRAKEN_ADDRESSES.rest, KRAKEN_ADDRESSES.public_ws, AllowedHosts.loopback())


async def _get(session: Any, url: str) -> None:
    await asyncio.to_thread(session.post, url, timeout=1)


class AskedOutside:
    """Notes what Python's own sockets were asked for beyond this machine."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.active = True
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event in ("socket.connect", "socket.sendto"):
            address = arguments[1]
            host = str(address[0]) if isinstance(address, tuple) else ""
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            host = str(arguments[0] or "")
        else:
            return
        if host and host not in ("localhost", "::1") and not host.startswith("127."):
            self.seen.add(host)


def main() -> None:
    """Try everything and print what was seen."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        os.environ[name] = OUTSIDE_PROXY
    os.environ.pop("NO_PROXY", None)
    watch = PacketWatch() if "--watch-packets" in sys.argv else None
    asked = AskedOutside()
    with tempfile.TemporaryDirectory() as directory:
        found, live_keys = asyncio.run(try_everything(Path(directory)))
    asked.active = False
    report: dict[str, Any] = {
        "routes": found,
        "asked_outside": sorted(asked.seen),
        "live_keys_asked_in_simulation": live_keys - LIVE_ROUTES,
    }
    if watch is not None:
        report["watch_works"] = watch.prove_itself()
        report["packets_outside"] = sorted(watch.seen)
    sys.stdout.write(json.dumps(report) + "\n")


LIVE_ROUTES = 1
"""Routes above on which an account is live and its key therefore rightly asked for."""

if __name__ == "__main__":
    main()
