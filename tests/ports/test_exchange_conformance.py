"""What every ``Exchange`` and ``MarketFeed`` must do, held against the running simulator."""

import asyncio
import base64
import contextlib
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from activities.adapters.kraken.addresses import AllowedHosts, ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory
from activities.adapters.kraken.exchange import KrakenExchange
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from activities.adapters.kraken.rest.transport import Timeouts
from activities.ports.exchange import ExecutionReport, StreamGap
from activities.ports.exchange_errors import (
    ExchangeError,
    ExchangeUnavailableError,
    KeyInUseError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from activities.ports.market import BarClosed, BestPrices, FeedStatus, Fence, Tick
from activities.ports.secrets import Credentials
from models.trading.identities import client_order_id, userref
from models.trading.orders import (
    ConditionalClose,
    Leg,
    OrderSpec,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from models.trading.risk.limits import Mode
from tests.support.free_ports import free_block

REPOSITORY = Path(__file__).resolve().parents[2]

PORT = free_block()
INSTALLATION = str(uuid4())
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TRADES = count(1)


class Simulator:
    """The simulator's process and its control endpoint."""

    def __init__(self, process: asyncio.subprocess.Process, description: dict[str, Any]) -> None:
        self.process = process
        self.keys = {
            entry["account"]: Credentials(entry["key"], entry["secret"])
            for entry in description["keys"]
        }
        self.control = description["control"]
        self.addresses = ExchangeAddresses(
            description["rest"], description["ws_public"], description["ws_private"]
        )
        self.session = aiohttp.ClientSession()
        self.unused = iter(self.keys)
        self.account = ""

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        assert mode is Mode.SIMULATED
        return self.keys.get(account)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.control}/{path}"
        async with self.session.request(method, url, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return json.loads(await answer.text(), parse_float=Decimal)

    async def fault(self, kind: str, match: dict[str, Any] | None = None, **rule: Any) -> None:
        await self.ask("POST", "faults", {"kind": kind, "match": match or {}, **rule})

    async def price(self, symbol: str, price: Decimal) -> None:
        await self.ask("POST", "prices", {"symbol": symbol, "price": str(price)})

    async def truth(self) -> dict[str, Any]:
        return await self.ask("GET", f"record?account={self.account}")

    async def orders_of(self, order: OrderSpec) -> list[dict[str, Any]]:
        own = [order.client_order_id, order.userref]
        return [
            one
            for one in (await self.truth())["orders"]
            if (one["client_order_id"] in own or one["userref"] in own)
            and one["parent_order_id"] is None
        ]


# Every test trades on an account of its own: rate counters and books begin empty.
ACCOUNTS = [f"account-{number}" for number in range(80)]


def write_accounts(path: Path) -> None:
    """Write a keys file with keys made for this run."""
    rows = [
        {
            "account": account,
            "key": base64.b64encode(secrets.token_bytes(42)).decode(),
            "secret": base64.b64encode(secrets.token_bytes(64)).decode(),
            "balances": {"USD": "100000"},
        }
        for account in ACCOUNTS
    ]
    path.touch(mode=0o600)
    path.write_text(json.dumps(rows))


@pytest.fixture(scope="module")
async def simulator(tmp_path_factory) -> AsyncIterator[Simulator]:
    state = tmp_path_factory.mktemp("exchange")
    accounts = tmp_path_factory.mktemp("accounts") / "accounts.json"
    write_accounts(accounts)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.exchange", "--port", str(PORT)),
        *("--market", "generated", "--speed", "lockstep", "--state", str(state)),
        *("--warmup-bars", "20"),
        *("--accounts", str(accounts)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = await process.stdout.readline()
    simulator = Simulator(process, json.loads(line))
    yield simulator
    await simulator.session.close()
    process.terminate()
    await process.wait()


@pytest.fixture(scope="module")
async def directory(simulator, tmp_path_factory) -> AsyncIterator[KrakenDirectory]:
    state = tmp_path_factory.mktemp("keys")
    timeouts = Timeouts(connect=1.0, read=0.5)
    directory = KrakenDirectory(
        simulator, simulator.addresses, state, timeouts=timeouts, silence_seconds=2.5
    )
    yield directory
    await directory.close()


@pytest.fixture
async def exchange(simulator, directory) -> AsyncIterator[KrakenExchange]:
    simulator.account = next(simulator.unused)
    yield await directory.exchange(simulator.account)
    await simulator.ask("DELETE", "faults")


@pytest.fixture
async def feed(simulator) -> AsyncIterator[KrakenMarketFeed]:
    addresses = simulator.addresses
    feed = KrakenMarketFeed(
        addresses.rest, addresses.public_ws, AllowedHosts.loopback(), silence_seconds=2.5
    )
    yield feed
    await simulator.ask("DELETE", "faults")
    await feed.close()


def an_entry(price: Decimal | None = None, **changes: Any) -> OrderSpec:
    trade = next(TRADES)
    leg = changes.get("leg", Leg.ENTRY)
    own_id = client_order_id(INSTALLATION, "company", trade, leg, 1)
    fields: dict[str, Any] = {
        "account": "company",
        "trade": trade,
        "leg": leg,
        "client_order_id": own_id,
        "userref": userref(own_id),
        "symbol": "BTC/USD",
        "side": Side.BUY,
        "order_type": OrderType.MARKET if price is None else OrderType.LIMIT,
        "quantity": Decimal("0.01"),
        "limit_price": price,
    }
    return OrderSpec(**{**fields, **changes})


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=5)


async def last_price(feed_or_exchange: KrakenExchange) -> Decimal:
    answer = await feed_or_exchange._transport.public("Ticker", {"pair": "BTC/USD"})
    return Decimal(next(iter(answer.values()))["c"][0])


async def far_below(exchange: KrakenExchange) -> Decimal:
    return ((await last_price(exchange)) * Decimal("0.8")).quantize(Decimal("0.1"))


async def until(stream: Any, wanted: Any, seconds: float = 10.0) -> list[Any]:
    events: list[Any] = []
    async with asyncio.timeout(seconds):
        while True:
            events.append(await anext(stream))
            if wanted(events[-1]):
                return events


# --- reading -----------------------------------------------------------------------------------


async def test_instruments_fees_and_balances_are_in_our_names(exchange):
    instruments = await exchange.instruments()
    assert instruments["BTC/USD"].is_spot_usd
    assert all(one.is_spot_usd for one in instruments.values())
    fees = await exchange.fees(["BTC/USD", "ETH/USD"])
    assert set(fees) == {"BTC/USD", "ETH/USD"}
    assert Decimal(0) < fees["BTC/USD"].maker <= fees["BTC/USD"].taker < Decimal("0.02")
    balances = await exchange.balances()
    assert balances["USD"].total > 0


async def test_a_second_process_on_the_key_is_refused(simulator, directory, exchange):
    other = KrakenDirectory(simulator, simulator.addresses, directory_path(directory))
    with pytest.raises(KeyInUseError):
        await other.exchange(simulator.account)


def directory_path(directory: KrakenDirectory) -> Path:
    return directory._key_lock("x")._path.parent  # type: ignore[attr-defined]


# --- the life of an order ----------------------------------------------------------------------


async def test_market_order_fills_and_every_book_agrees(simulator, exchange):
    order = an_entry()
    order_id = await exchange.submit(order, soon())
    (found,) = await exchange.find(order, datetime.now(UTC))
    assert found.order_id == order_id
    assert found.client_order_id == order.client_order_id
    assert found.status is OrderStatus.CLOSED
    assert found.filled_quantity == order.quantity
    assert (await exchange.query([order_id]))[order_id] == found
    fills = [fill for fill in await exchange.fills(None) if fill.order_id == order_id]
    assert sum(fill.quantity for fill in fills) == order.quantity
    assert {fill.execution_id for fill in fills} == set(found.execution_ids)
    truth = await simulator.truth()
    told = {one["execution_id"]: one for one in truth["fills"]}
    for fill in fills:
        assert Decimal(told[fill.execution_id]["price"]) == fill.price
        assert Decimal(told[fill.execution_id]["fee"]) == fill.fee
        assert datetime.fromisoformat(told[fill.execution_id]["exchange_time"]) == (
            fill.exchange_time
        )
    balances = await exchange.balances()
    for asset, balance in truth["balances"].items():
        held = balances.get(asset)
        # USD is shown with four decimals.
        assert abs(Decimal(balance["total"]) - (held.total if held else 0)) < Decimal("0.0001")
    running: dict[str, Decimal] = {}
    deposits = await exchange.ledger(None, "deposit")
    assert {entry.kind for entry in deposits} <= {"deposit"}
    for entry in await exchange.ledger(None):
        running[entry.asset] = running.get(entry.asset, Decimal(0)) + entry.amount - entry.fee
        assert running[entry.asset] == entry.balance


async def test_resting_order_is_found_canceled_and_then_gone(exchange):
    order = an_entry(await far_below(exchange))
    order_id = await exchange.submit(order, soon())
    assert [one.order_id for one in await exchange.find(order, LONG_AGO)] == [order_id]
    assert order_id in {one.order_id for one in await exchange.open_orders()}
    held = (await exchange.balances())["USD"].held
    assert held >= order.quantity * (order.limit_price or 0)
    await exchange.cancel(order_id)
    with pytest.raises(OrderGoneError):
        await exchange.cancel(order_id)
    (canceled,) = await exchange.find(order, LONG_AGO)
    assert canceled.status is OrderStatus.CANCELED
    assert order_id in {one.order_id for one in await exchange.closed_orders(LONG_AGO)}


async def test_order_that_never_was_is_gone(exchange):
    with pytest.raises(OrderGoneError):
        await exchange.cancel("OAAAAA-AAAAA-AAAAAA")
    assert await exchange.query(["OAAAAA-AAAAA-AAAAAA"]) == {}
    assert await exchange.find(an_entry(), LONG_AGO) == []


async def test_stop_is_amended_in_place_and_keeps_its_ids(exchange):
    await exchange.submit(an_entry(), soon())
    stop = an_entry(
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        quantity=Decimal("0.005"),
        trigger_price=await far_below(exchange),
    )
    order_id = await exchange.submit(stop, soon())
    trigger = (await far_below(exchange)) + 100
    await exchange.amend(order_id, Decimal("0.01"), trigger)
    (amended,) = await exchange.find(stop, LONG_AGO)
    assert (amended.order_id, amended.client_order_id) == (order_id, stop.client_order_id)
    assert (amended.quantity, amended.trigger_price) == (Decimal("0.01"), trigger)
    await exchange.amend(order_id, Decimal("0.01"), trigger)
    await exchange.cancel(order_id)
    with pytest.raises(OrderGoneError):
        await exchange.amend(order_id, Decimal("0.005"), None)


async def test_an_entry_rests_follows_and_crosses_as_one_order(exchange):
    low = await far_below(exchange)
    entry = an_entry(low, post_only=True)
    order_id = await exchange.submit(entry, soon())
    await exchange.reprice(order_id, low + 100, post_only=True)
    (resting,) = await exchange.find(entry, LONG_AGO)
    assert (resting.order_id, resting.limit_price) == (order_id, low + 100)
    assert (resting.status, resting.filled_quantity) == (OrderStatus.OPEN, 0)
    # At twice the price it would take: refused while it may only rest, filled once it may not.
    with pytest.raises(OrderRejectedError):
        await exchange.reprice(order_id, low * 4, post_only=True)
    await exchange.reprice(order_id, low * 4, post_only=False)
    (crossed,) = await exchange.find(entry, LONG_AGO)
    assert (crossed.order_id, crossed.status) == (order_id, OrderStatus.CLOSED)
    assert crossed.filled_quantity == entry.quantity
    with pytest.raises(OrderGoneError):
        await exchange.reprice(order_id, low, post_only=True)


async def test_an_order_that_takes_at_once_never_rests(exchange):
    order = an_entry(await far_below(exchange), time_in_force=TimeInForce.IOC)
    order_id = await exchange.submit(order, soon())
    (ended,) = await exchange.find(order, LONG_AGO)
    assert (ended.order_id, ended.status) == (order_id, OrderStatus.CANCELED)
    assert ended.filled_quantity == 0
    assert (await exchange.balances())["USD"].held == 0


async def test_attached_stop_appears_as_child_of_each_fill(exchange):
    trigger = await far_below(exchange)
    close = ConditionalClose(OrderType.STOP_LOSS, trigger)
    entry = an_entry(close=close)
    order_id = await exchange.submit(entry, soon())
    (found,) = await exchange.find(entry, LONG_AGO)
    assert (found.order_id, found.userref) == (order_id, entry.userref)
    children = [one for one in await exchange.open_orders() if one.parent_order_id == order_id]
    assert sum(child.quantity for child in children) == entry.quantity
    assert all(child.side is Side.SELL for child in children)
    assert all(child.trigger_price == trigger for child in children)
    assert await exchange.cancel_many([child.order_id for child in children]) == len(children)


async def test_history_longer_than_a_page_is_read_whole(exchange):
    price = await far_below(exchange)
    orders = [an_entry(price, quantity=Decimal("0.001")) for _ in range(55)]
    ids = [await exchange.submit(order, soon()) for order in orders]
    assert await exchange.cancel_many(ids[:50]) == 50
    assert await exchange.cancel_many(ids[50:]) == 5
    closed = {one.order_id for one in await exchange.closed_orders(LONG_AGO)}
    assert set(ids) <= closed
    assert exchange.budget.headroom().refusals == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "BTC/EUR"},
        {"symbol": "NOPE/USD"},
        {"quantity": Decimal("0.00000001")},
        {"quantity": Decimal(100_000)},
        {"leg": Leg.EXIT, "side": Side.SELL, "symbol": "SOL/USD", "quantity": Decimal(5_000)},
    ],
)
async def test_unsound_order_is_refused_and_leaves_nothing(simulator, exchange, changes):
    before = await simulator.truth()
    with pytest.raises(OrderRejectedError):
        await exchange.submit(an_entry(**changes), soon())
    assert (await simulator.truth())["orders"] == before["orders"]


# --- lost replies ------------------------------------------------------------------------------


@pytest.mark.parametrize("attached", [False, True])
async def test_reply_lost_after_acceptance_is_unknown_and_then_found(simulator, exchange, attached):
    close = ConditionalClose(OrderType.STOP_LOSS, await far_below(exchange)) if attached else None
    order = an_entry(close=close)
    await simulator.fault("lost_after", {"method": "AddOrder"})
    with pytest.raises(UnknownOutcomeError):
        await exchange.submit(order, soon())
    (found,) = await exchange.find(order, datetime.now(UTC))
    assert [one["order_id"] for one in await simulator.orders_of(order)] == [found.order_id]


async def test_request_lost_before_acceptance_is_unknown_and_then_absent(simulator, exchange):
    order = an_entry()
    await simulator.fault("lost_before", {"method": "AddOrder"})
    with pytest.raises(UnknownOutcomeError):
        await exchange.submit(order, soon())
    assert await exchange.find(order, datetime.now(UTC)) == []
    assert await simulator.orders_of(order) == []


async def test_ten_lost_replies_in_a_row_leave_one_order(simulator, exchange):
    order = an_entry(await far_below(exchange))
    await simulator.fault("lost_after", {"method": "AddOrder"}, count=10)
    await simulator.fault("lost_after", {"method": ["OpenOrders", "ClosedOrders"]}, count=6)
    with pytest.raises(UnknownOutcomeError):
        await exchange.submit(order, soon())
    found = None
    for _ in range(10):
        try:
            found = await exchange.find(order, datetime.now(UTC))
            break
        except ExchangeUnavailableError:
            continue
    assert found is not None
    assert [one["order_id"] for one in await simulator.orders_of(order)] == [found[0].order_id]
    await simulator.ask("DELETE", "faults")
    await exchange.cancel(found[0].order_id)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("error", {"error": "EService:Busy"}),
        ("error", {"error": "EService:Unavailable"}),
        ("error", {"error": "EGeneral:Internal error"}),
        ("error", {"error": "EService:Deadline elapsed"}),
        ("http_status", {"status": 520}),
        ("http_status", {"status": 502}),
        ("delay", {"seconds": 1.0}),
    ],
)
async def test_undecided_answer_is_resolved_by_asking(simulator, exchange, kind, params, when):
    order = an_entry(await far_below(exchange), quantity=Decimal("0.001"))
    await simulator.fault(kind, {"method": "AddOrder"}, params={**params, "when": when})
    with pytest.raises(UnknownOutcomeError):
        await exchange.submit(order, soon())
    if kind == "delay":
        # The late request may still be accepted: absence is proven only after its deadline.
        await asyncio.sleep(1.0)
    found = await exchange.find(order, datetime.now(UTC))
    truth = await simulator.orders_of(order)
    assert [one.order_id for one in found] == [one["order_id"] for one in truth]
    assert len(truth) <= 1
    for one in found:
        await exchange.cancel_many([one.order_id])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("EOrder:Insufficient funds", OrderRejectedError),
        ("EService: Throttled: 1", RateLimitedError),
        ("EService:Market in cancel_only mode", ExchangeUnavailableError),
        ("EOrder:Rate limit exceeded", RateLimitedError),
    ],
)
async def test_definite_refusals_leave_nothing_and_are_typed(simulator, exchange, error, expected):
    order = an_entry(symbol="ETH/USD", quantity=Decimal("0.1"))
    await simulator.fault("error", {"method": "AddOrder"}, params={"error": error})
    with pytest.raises(expected) as refused:
        await exchange.submit(order, soon())
    assert refused.value.raw == error
    assert await simulator.orders_of(order) == []


async def test_lost_cancel_is_unknown_and_the_order_tells(simulator, exchange):
    order = an_entry(await far_below(exchange))
    order_id = await exchange.submit(order, soon())
    await simulator.fault("lost_after", {"method": "CancelOrder"})
    with pytest.raises(UnknownOutcomeError):
        await exchange.cancel(order_id)
    assert (await exchange.query([order_id]))[order_id].status is OrderStatus.CANCELED
    with pytest.raises(OrderGoneError):
        await exchange.cancel(order_id)


async def test_failed_reads_are_unavailable_and_harmless(simulator, exchange):
    await simulator.fault("lost_before", {"method": "BalanceEx"})
    with pytest.raises(ExchangeUnavailableError):
        await exchange.balances()
    assert await exchange.balances()


async def test_refused_nonce_is_repaired(simulator, exchange):
    await simulator.fault("error", {"method": "BalanceEx"}, params={"error": "EAPI:Invalid nonce"})
    assert await exchange.balances()


async def test_executions_are_found_by_the_ids_that_their_order_names(exchange):
    order_id = await exchange.submit(an_entry(), soon())
    names = (await exchange.query([order_id]))[order_id].execution_ids
    fills = await exchange.fills_by_id(names)
    assert {fill.execution_id for fill in fills} == set(names)
    assert fills == [fill for fill in await exchange.fills(None) if fill.order_id == order_id]


async def test_execution_that_nobody_knows_is_typed(exchange):
    with pytest.raises(OrderGoneError):
        await exchange.fills_by_id(["TAAAAA-AAAAA-AAAAAA"])


# --- the private stream ------------------------------------------------------------------------


async def connected(stream: Any) -> None:
    await until(stream, lambda event: isinstance(event, StreamGap))


def fills_of(events: list[Any], order_id: str) -> list[ExecutionReport]:
    return [
        event
        for event in events
        if isinstance(event, ExecutionReport) and event.fill and event.order.order_id == order_id
    ]


def ends(order_id: str) -> Any:
    return lambda event: (
        isinstance(event, ExecutionReport)
        and event.kind == "ended"
        and event.order.order_id == order_id
    )


async def test_stream_tells_an_order_from_begin_to_end(exchange):
    async with aclosing(exchange.executions()) as stream:
        await connected(stream)
        order = an_entry()
        order_id = await exchange.submit(order, soon())
        events = await until(stream, ends(order_id))
    own = [one for one in events if isinstance(one, ExecutionReport)]
    assert next(one.kind for one in own if one.kind != "status") == "new"
    assert own[0].order.client_order_id == order.client_order_id
    fills = fills_of(events, order_id)
    assert sum(one.fill.quantity for one in fills if one.fill) == order.quantity
    assert [one.fill for one in fills] == [
        fill for fill in await exchange.fills(None) if fill.order_id == order_id
    ]
    assert own[-1].order.status is OrderStatus.CLOSED
    assert own[-1].order.filled_quantity == order.quantity


async def test_fills_during_an_outage_of_the_stream_are_told_after_it(simulator, exchange):
    async with aclosing(exchange.executions()) as stream:
        await connected(stream)
        await simulator.fault("socket_drop", {"plane": "private"})
        order_id = await exchange.submit(an_entry(), soon())
        events = await until(stream, lambda event: isinstance(event, StreamGap))
        if not fills_of(events, order_id):
            events += await until(stream, ends(order_id))
    assert len({one.fill.execution_id for one in fills_of(events, order_id) if one.fill}) >= 1
    assert len(fills_of(events, order_id)) == len(
        [fill for fill in await exchange.fills(None) if fill.order_id == order_id]
    )


@pytest.mark.parametrize("kind", ["drop_message", "duplicate_message", "reorder_message"])
async def test_disturbed_messages_lose_and_double_nothing(simulator, exchange, kind):
    async with aclosing(exchange.executions()) as stream:
        await connected(stream)
        await simulator.fault(kind, {"channel": "executions", "exec_type": "trade"})
        order_id = await exchange.submit(an_entry(), soon())
        ids = {
            fill.execution_id for fill in await exchange.fills(None) if fill.order_id == order_id
        }
        told: list[Any] = []
        async with asyncio.timeout(10):
            while {one.fill.execution_id for one in fills_of(told, order_id) if one.fill} != ids:
                told.append(await anext(stream))
        told += await drained(stream)
    assert len(fills_of(told, order_id)) == len(ids)


async def drained(stream: Any) -> list[Any]:
    """Return what else comes until the stream has been quiet for a moment."""
    events = []
    pending = asyncio.ensure_future(anext(stream))
    while (await asyncio.wait([pending], timeout=0.3))[0]:
        events.append(pending.result())
        pending = asyncio.ensure_future(anext(stream))
    pending.cancel()
    await asyncio.wait([pending])
    return events


async def test_stop_that_fires_is_told_with_its_parent(simulator, exchange):
    price = await last_price(exchange)
    trigger = (price * Decimal("0.97")).quantize(Decimal("0.1"))
    close = ConditionalClose(OrderType.STOP_LOSS, trigger)
    async with aclosing(exchange.executions()) as stream:
        await connected(stream)
        parent = await exchange.submit(an_entry(close=close), soon())
        await until(stream, ends(parent))
        await simulator.price("BTC/USD", (price * Decimal("0.95")).quantize(Decimal("0.1")))
        events = await until(
            stream,
            lambda event: (
                isinstance(event, ExecutionReport)
                and event.kind == "ended"
                and event.order.parent_order_id == parent
            ),
        )
    child = events[-1].order
    assert child.status is OrderStatus.CLOSED
    assert child.side is Side.SELL
    await simulator.price("BTC/USD", price)


# --- the market feed ---------------------------------------------------------------------------


async def test_feed_tells_trades_prices_and_closed_bars(simulator, feed):
    history = await feed.history("BTC/USD", 1)
    assert history == sorted(history, key=lambda bar: bar.start)
    async with aclosing(feed.events(["BTC/USD", "ETH/USD"], 1)) as stream:
        await until(stream, lambda event: isinstance(event, BestPrices))
        await simulator.ask("POST", "step", {"steps": 40})
        events = await until(
            stream,
            lambda event: isinstance(event, BarClosed) and event.candle.start > history[-1].start,
        )
    ticks = [one for one in events if isinstance(one, Tick) and one.symbol == "BTC/USD"]
    assert [one.trade_id for one in ticks] == sorted({one.trade_id for one in ticks})
    assert all(isinstance(one, FeedStatus) is False or one.healthy for one in events)
    bar = events[-1].candle
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar in await feed.history(bar.symbol, 1)


async def test_bad_checksum_makes_a_symbol_unhealthy_until_its_new_snapshot(simulator, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await until(stream, lambda event: isinstance(event, BestPrices))
        await simulator.fault("bad_checksum", {"channel": "book", "type": "update"})
        await simulator.ask("POST", "step", {"steps": 1})
        events = await until(stream, lambda event: isinstance(event, FeedStatus))
        assert events[-1] == FeedStatus("BTC/USD", False, "checksum")
        events = await until(stream, lambda event: isinstance(event, FeedStatus))
        assert events[-1].healthy
    assert feed.checksum_failures == 1


async def test_dropped_and_silent_sockets_are_told_and_replaced(simulator, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await until(stream, lambda event: isinstance(event, BestPrices))
        await simulator.fault("socket_drop", {"plane": "public"})
        await simulator.ask("POST", "step", {"steps": 30})
        events = await until(stream, lambda e: isinstance(e, FeedStatus) and not e.healthy)
        events += await until(stream, lambda e: isinstance(e, FeedStatus) and e.healthy)
        state = await simulator.ask("GET", "state")
        last = state["last_trade_ids"]["BTC/USD"]
        events += await until(stream, lambda e: isinstance(e, Tick) and e.trade_id == last)
        await simulator.fault("silence", {"plane": "public"}, params={"seconds": 4})
        events = await until(stream, lambda e: isinstance(e, FeedStatus) and not e.healthy)
        assert "silence" in events[-1].reason


async def test_fence_asked_for_without_a_connection_comes_once_there_is_one(simulator, feed):
    await feed.request_fence(1)
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        events = await until(stream, lambda event: event == Fence(1))
        assert any(isinstance(event, FeedStatus) and event.healthy for event in events)
        await simulator.fault("socket_drop", {"plane": "public"})
        await until(stream, lambda event: isinstance(event, FeedStatus) and not event.healthy)
        await feed.request_fence(2)
        events = await until(stream, lambda event: event == Fence(2))
        assert any(isinstance(event, FeedStatus) and event.healthy for event in events)


async def test_missed_trades_are_made_good_without_a_hole(simulator, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await until(stream, lambda event: isinstance(event, BestPrices))
        await simulator.ask("POST", "step", {"steps": 2})
        events = await until(stream, lambda event: isinstance(event, Tick))
        first = events[-1].trade_id
        await simulator.fault("socket_drop", {"plane": "public"})
        await simulator.ask("POST", "step", {"steps": 200})
        last = (await simulator.ask("GET", "state"))["last_trade_ids"]["BTC/USD"]
        ids = {first}
        async with asyncio.timeout(10):
            while ids != set(range(first, last + 1)):
                event = await anext(stream)
                if isinstance(event, Tick):
                    assert event.trade_id not in ids
                    ids.add(event.trade_id)


async def test_maintenance_is_a_trouble_of_every_symbol(simulator, feed, exchange):
    async with aclosing(feed.events(["BTC/USD", "ETH/USD"], 1)) as stream:
        await until(stream, lambda event: isinstance(event, BestPrices))
        await simulator.fault("mode", params={"status": "cancel_only"})
        events = await until(stream, lambda e: isinstance(e, FeedStatus) and not e.healthy)
        assert "cancel_only" in events[-1].reason
        with pytest.raises(ExchangeError):
            await exchange.submit(an_entry(), soon())
        await simulator.ask("DELETE", "faults")
        await until(stream, lambda e: isinstance(e, FeedStatus) and e.healthy)


async def test_outage_leaves_the_rate_budget_for_when_it_ends(exchange, simulator):
    await exchange.open_orders()
    await simulator.fault("refuse_connections", {"plane": "rest"})
    for _ in range(40):
        with pytest.raises(ExchangeUnavailableError):
            await exchange.open_orders()
    assert exchange.budget.headroom().reads > 0.7
    await simulator.ask("DELETE", "faults")
    async with asyncio.timeout(3):
        while True:
            with contextlib.suppress(ExchangeUnavailableError):
                await exchange.open_orders()
                break
