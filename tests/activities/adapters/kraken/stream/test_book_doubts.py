"""A lost update of a quiet pair's book shows by the trade that it should have followed."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from activities.adapters.kraken.feed import book_doubts
from activities.ports.market import BestPrices, FeedStatus, Tick
from tests.activities.adapters.kraken.stream.test_kraken_streams import (
    book_frame,
    collect,
    feed,
    of,
    server,
    trade_frame,
)

__all__ = ["feed", "server"]


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(book_doubts, "CONFIRMED_WITHIN_SECONDS", 0.2)


@asynccontextmanager
async def beating(server):
    """Let the exchange send its heartbeats meanwhile."""

    async def beat():
        while True:
            await server.push({"channel": "heartbeat"})
            await asyncio.sleep(0.05)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


async def started(stream):
    await collect(stream, lambda all_: of(BestPrices, all_))


async def test_book_that_a_trade_contradicts_is_subscribed_again(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await started(stream)
        await server.push(trade_frame("update", 11))  # at 64,011: above the best ask
        async with beating(server):
            events = await collect(stream, lambda all_: len(of(FeedStatus, all_)) == 2)
    assert [tick.trade_id for tick in of(Tick, events)] == [11]
    assert of(FeedStatus, events) == [
        FeedStatus("BTC/USD", False, "a trade outside of it"),
        FeedStatus("BTC/USD", True, ""),
    ]
    methods = [(one["method"], one["params"]["channel"]) for one in server.received[4:]]
    assert methods == [("unsubscribe", "book"), ("subscribe", "book")]


async def test_book_that_follows_the_trade_is_believed(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await started(stream)
        await server.push(trade_frame("update", 11))
        await server.push(book_frame("update", 3.0))
        events = await collect(stream, lambda all_: of(BestPrices, all_))
        for number in range(12, 16):
            await server.push(trade_frame("update", number) | {"data": []})
        assert not of(FeedStatus, events)
    assert feed.connections == 1
    subscribed = [one for one in server.received if one["method"] == "unsubscribe"]
    assert subscribed == []


async def test_trade_within_the_best_prices_says_nothing_against_the_book(server, feed):
    inside = trade_frame("update", 11)
    inside["data"][0]["price"] = 64000.1
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await started(stream)
        await server.push(inside)
        await collect(stream, lambda all_: of(Tick, all_))
    assert [one for one in server.received if one["method"] == "unsubscribe"] == []


async def test_silence_after_a_trade_says_nothing_against_the_book(server, feed):
    async with aclosing(feed.events(["BTC/USD"], 1)) as stream:
        await started(stream)
        await server.push(trade_frame("update", 11))
        events = await collect(stream, lambda all_: of(FeedStatus, all_))
    assert of(FeedStatus, events) == [FeedStatus("BTC/USD", False, "silence for 1 s")]
