"""Bars, snapshots, watches and equity as the market worker writes and reads them."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from activities.market.marks import EquityWatch
from models.trading.market import Candle, MarketSnapshot
from models.trading.trade.facts import Direction, PriceWatch, WatchKind
from tests.support.books import a_book
from tests.support.record_builders import NOW


def bars(count, symbol="BTC/USD", close="50000.10"):
    return [
        Candle(
            symbol=symbol,
            interval_minutes=1,
            start=NOW + timedelta(minutes=n),
            open=Decimal("50000.0"),
            high=Decimal("50010.123456789"),
            low=Decimal("1E-8"),
            close=Decimal(close),
            volume=Decimal(0),
            trades=n,
        )
        for n in range(count)
    ]


def a_snapshot(symbol="BTC/USD", **changes):
    figures = {"bid": Decimal(99), "ask": Decimal(101), "last": Decimal(100), "observed_at": NOW}
    book = {"book": a_book("99.5", "100.25", "0.00000001"), "book_at": NOW}
    return MarketSnapshot(symbol=symbol, **(figures | book | changes))


def a_watch(trade, name, account="company", level="60000"):
    return PriceWatch(
        watch_id=name,
        account=account,
        trade=trade,
        symbol="BTC/USD",
        kind=WatchKind.TAKE_PROFIT,
        direction=Direction.RISES_TO,
        level=Decimal(level),
    )


async def test_bars_are_written_once_exactly_and_replaced_by_newer_words(record):
    assert await record.save_candles([]) == 0
    assert await record.save_candles(bars(100)) == 100
    assert await record.recent_candles("BTC/USD", 1, 1000) == bars(100)
    changed = bars(150, close="51000")
    assert await record.save_candles([*bars(150), *changed]) == 150
    assert await record.save_candles(changed[:1]) == 1
    assert await record.recent_candles("BTC/USD", 1, 20) == changed[-20:]
    assert await record.recent_candles("BTC/USD", 5, 20) == []


async def test_batch_with_a_bad_bar_changes_nothing(record):
    good, bad = bars(2, symbol="ETH/USD")
    try:
        await record.save_candles([good, replace(bad, symbol="ETH\t/USD")])
    except ValueError:
        assert await record.recent_candles("ETH/USD", 1, 10) == []
    else:
        raise AssertionError


async def test_older_snapshot_never_replaces_a_newer(record):
    newer = a_snapshot("SOL/USD", observed_at=NOW + timedelta(seconds=1), stale=True)
    await record.save_snapshots([newer, a_snapshot("SOL/USD")])
    await record.save_snapshots([a_snapshot("SOL/USD", last=Decimal(7))])
    assert await record.snapshot("SOL/USD") == newer
    assert await record.snapshot("XRP/USD") is None


async def test_watch_triggers_once_and_stays_triggered_when_set_again(journal, record):
    watch, other = a_watch(1, "w1"), a_watch(2, "w2", account="director-1")
    await journal.set_watches("company", 1, [watch])
    await journal.set_watches("director-1", 2, [other])
    assert await record.active_watches() == [watch, other]
    answers = await asyncio.gather(
        *(record.mark_triggered(watch, Decimal(60001), NOW) for _ in range(4))
    )
    assert sorted(answers) == [False, False, False, True]
    await journal.set_watches("company", 1, [watch])
    assert await record.active_watches() == [other]
    await journal.set_watches("director-1", 2, [])
    assert not await record.mark_triggered(other, Decimal(60001), NOW)


async def test_changed_watches_are_told_on_commit(journal, record):
    known, new = a_watch(10, "w10"), a_watch(11, "w11")
    moved = replace(new, watch_id="w11-2", level=Decimal(61000))
    await journal.set_watches("company", 10, [known])
    async with aclosing(record.watch_changes()) as changes:
        assert await asyncio.wait_for(anext(changes), 5) == ("company", 10, (known,))
        await journal.set_watches("company", 11, [new])
        assert await asyncio.wait_for(anext(changes), 5) == ("company", 11, (new,))
        await journal.set_watches("company", 11, [moved])
        assert await asyncio.wait_for(anext(changes), 5) == ("company", 11, (moved,))
        await journal.set_watches("company", 11, [])
        assert await asyncio.wait_for(anext(changes), 5) == ("company", 11, ())


async def test_followers_are_the_accounts_with_the_strategy(record):
    assert await record.followers("baseline") == ["company", "director-1"]
    assert await record.followers("another") == []


async def test_equity_is_marked_once_a_minute_and_only_with_every_price(journal, record, database):
    await journal.save_balances("company", {"USD": Decimal(1000), "DOT": Decimal(2)}, NOW)
    await journal.save_balances("director-1", {"USD": Decimal(500), "ADA": Decimal(1)}, NOW)
    watch = EquityWatch(record)
    told = await watch.mark(NOW, {"DOT/USD": Decimal(100)})
    assert told["company"].prices == {"DOT/USD": Decimal(100)}
    assert told["director-1"].prices == {}
    later = NOW + timedelta(seconds=30)
    assert await watch.mark(later, {"DOT/USD": Decimal("100.4")}) == {}
    assert list(await watch.mark(later, {"DOT/USD": Decimal(1)})) == ["company"]
    marks = {}
    for account in ("company", "director-1"):
        async with database.account_scope(account) as session:
            rows = await session.sql(text("SELECT account_id, at, equity, cash FROM nav_marks"))
            marks[account] = [tuple(row) for row in rows]
    assert marks == {"company": [("company", NOW, Decimal(1200), Decimal(1000))], "director-1": []}
