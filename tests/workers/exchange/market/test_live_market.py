import asyncio
import json
import socket as sockets
from contextlib import aclosing, suppress
from datetime import timedelta
from itertools import pairwise

import pytest

from models.simulation.markets.instruments import UNIVERSE
from tests.support.public_market import START, OpenMarket
from tests.support.public_server import a_public_server
from workers.exchange.market import live as live_market
from workers.exchange.market.live import LiveMarket, LiveMarketError

PAIRS = ("BTC/USD", "ETH/USD")


@pytest.fixture
async def server():
    market = OpenMarket(PAIRS)
    market.generate(20)
    async with a_public_server(market) as running:
        yield running


@pytest.fixture
async def live(server, monkeypatch):
    monkeypatch.setattr(live_market, "STEP_SECONDS", 0.02)
    market = LiveMarket(UNIVERSE.only(PAIRS), url=server.feed, patience=5)
    await market.open()
    yield market
    await market.close()


async def steps_until(market, condition):
    steps = []
    while not condition(steps):
        steps.append(await asyncio.wait_for(market.next_step(), 5))
    return steps


def parts(steps, symbol):
    return [part for step in steps for part in step.symbols if part.symbol == symbol]


async def test_live_market_mirrors_book_and_trades(server, live):
    stream = server.market.stream(30, seed=8)
    sent = {symbol: [] for symbol in PAIRS}
    for change in stream:
        server.publish(change)
        for symbol, entries in change.trades.items():
            sent[symbol] += [(e.side, e.price_text, e.quantity_text) for e in entries]

    def complete(steps):
        return all(
            sum(len(part.prints) for part in parts(steps, symbol)) == len(sent[symbol])
            and parts(steps, symbol)[-1:]
            and parts(steps, symbol)[-1].asks == server.market.venue.book(symbol).asks
            for symbol in PAIRS
        )

    steps = await steps_until(live, complete)
    for symbol in PAIRS:
        prints = [p for part in parts(steps, symbol) for p in part.prints]
        assert [(p.side.value, str(p.price), str(p.quantity)) for p in prints] == sent[symbol]
        assert parts(steps, symbol)[-1].bids == server.market.venue.book(symbol).bids
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(a.at <= b.at for a, b in pairwise(steps))


async def test_live_market_adopts_krakens_instruments(server, live):
    assert live.instruments == server.market.universe.instruments


async def test_live_market_subscribes_anew_after_a_bad_checksum(server, live):
    server.faults.add("bad_checksum", {"match": {"channel": "book", "type": "update"}})
    at = START + timedelta(hours=1)
    quotes = {"bids": [("50000", "1")], "asks": [("50000.1", "1")]}
    server.publish(server.market.move(at, **quotes))
    steps = await steps_until(
        live,
        lambda steps: any(part.bids[0].price == 50000 for part in parts(steps, "BTC/USD")),
    )
    assert server.faults.rules[0].hits == 1
    assert parts(steps, "BTC/USD")[-1].asks == server.market.venue.book("BTC/USD").asks


async def test_live_market_comes_back_after_a_dropped_line(server, live):
    server.streams.abort_all()
    steps = await steps_until(live, lambda steps: bool(parts(steps, "ETH/USD")))
    assert parts(steps, "ETH/USD")[-1].bids == server.market.venue.book("ETH/USD").bids


async def test_live_market_follows_a_pair_whose_precision_changes(server, live):
    venue, public = server.market.venue, server.market.public
    server.publish(public.apply(venue.alter_pair("BTC/USD", {"pair_decimals": 2})))
    quotes = {"bids": [("50000.01", "1")], "asks": [("50000.02", "1")]}
    server.publish(server.market.move(START + timedelta(hours=1), **quotes))
    steps = await steps_until(
        live,
        lambda steps: any(str(p.bids[0].price) == "50000.01" for p in parts(steps, "BTC/USD")),
    )
    assert live.take_altered() == {"BTC/USD": {"pair_decimals": 2, "tick_size": "0.01"}}
    assert live.take_altered() == {}
    assert parts(steps, "BTC/USD")[-1].asks == venue.book("BTC/USD").asks
    assert live.differences(UNIVERSE.only(PAIRS).instruments) == {
        "BTC/USD": {"pair_decimals": 2, "tick_size": "0.01"}
    }


async def test_pair_that_is_delisted_costs_the_live_market_no_other(server, live):
    venue, public = server.market.venue, server.market.public
    server.publish(public.apply(venue.alter_pair("BTC/USD", {"status": "delisted"})))
    server.streams.abort_all()
    steps = await steps_until(live, lambda steps: bool(parts(steps, "ETH/USD")))
    assert parts(steps, "ETH/USD")[-1].bids == venue.book("ETH/USD").bids
    assert live.take_altered()["BTC/USD"] == {"status": "delisted"}
    server.publish(public.apply(venue.alter_pair("BTC/USD", {"status": "online"})))
    server.streams.abort_all()
    await steps_until(live, lambda steps: bool(parts(steps, "BTC/USD")))


async def test_book_that_stays_wrong_is_not_asked_for_in_bursts(server, live, monkeypatch):
    asked = []
    send = live._request

    async def request(method, parameters):
        asked.append(method)
        await send(method, parameters)

    monkeypatch.setattr(live, "_request", request)
    server.faults.add("bad_checksum", {"match": {"channel": "book"}, "count": None})
    at, loop = START + timedelta(hours=1), asyncio.get_running_loop()
    until, number = loop.time() + 2.0, 0
    while loop.time() < until:
        number += 1
        quotes = {"bids": [(f"{50000 + number}", "1")], "asks": [(f"{50000 + number}.1", "1")]}
        server.publish(server.market.move(at + timedelta(seconds=number), **quotes))
        with suppress(TimeoutError):
            await asyncio.wait_for(live.next_step(), 0.1)
    assert 2 <= asked.count("subscribe") <= 4


async def test_live_market_that_cannot_be_reached_says_so():
    with sockets.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{closed.getsockname()[1]}/v2"
    market = LiveMarket(UNIVERSE.only(PAIRS), url=url, patience=0.3)
    with pytest.raises(LiveMarketError, match="cannot be reached"):
        await market.open()
    with pytest.raises(LiveMarketError, match="cannot be reached"):
        await market.next_step()


async def test_live_market_that_does_not_list_a_pair_says_so(server):
    market = LiveMarket(UNIVERSE.only(["SOL/USD"]), url=server.feed, patience=5)
    with pytest.raises(LiveMarketError, match="SOL/USD"):
        await market.open()
    await market.close()


async def test_live_market_goes_on_counting_from_its_state(server):
    async with aclosing_market(LiveMarket(UNIVERSE.only(PAIRS), url=server.feed)) as market:
        market.restore(json.loads(json.dumps({"kind": "kraken", "number": 41})))
        await market.open()
        step = await market.next_step()
        assert step.number == 42
        assert market.state()["number"] == 42


def aclosing_market(market):
    market.aclose = market.close
    return aclosing(market)
