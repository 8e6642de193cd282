"""The feed's activity: it loads, follows market and watches, beats, and outlives a lost record."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.market import feed as market_feed
from activities.market import proposals
from activities.market.engine import MarketEngine
from activities.market.feed import FeedSettings, MarketFeedActivities
from activities.market.strategy_runner import StrategyRunner
from activities.ports.market import Fence
from models.trading.account.facts import IdeaArrived
from models.trading.trade.facts import PriceCrossed
from tests.support.fakes import BITCOIN
from tests.support.market_fakes import (
    ETHER,
    Eager,
    FakeMarketRecord,
    KeptMessages,
    a_bar,
    a_candle,
    a_tick,
    a_watch,
    healthy,
)
from tests.support.temporal import eventually


class Feed:
    """A feed that gives what a test puts into it; None ends it."""

    def __init__(self):
        self.queue = asyncio.Queue()
        self.asked = None

    async def instruments(self):
        return {"BTC/USD": BITCOIN, "ETH/USD": ETHER}

    async def history(self, symbol, interval_minutes):
        return [a_candle(0, symbol=symbol)]

    async def events(self, symbols, interval_minutes):
        self.asked = (list(symbols), interval_minutes)
        while (event := await self.queue.get()) is not None:
            yield event

    def give(self, *events):
        for event in events:
            self.queue.put_nowait(event)


class Fences:
    def __init__(self):
        self.reached = []

    def fence_reached(self, number):
        self.reached.append(number)

    async def run(self, engine, feed):
        await asyncio.Event().wait()


class Followed:
    def __init__(self, **options):
        self.feed, self.record, self.delivery = Feed(), FakeMarketRecord(), KeptMessages()
        self.record.held = {"company": {"USD": Decimal(100), "BTC": Decimal(1)}}
        self.driver = options.pop("driver", None)
        self.activities = MarketFeedActivities(
            self.feed,
            self.record,
            lambda: MarketEngine(
                self.record, self.delivery, StrategyRunner([Eager()], "home"), **options
            ),
            FeedSettings(1, ("BTC/USD",)),
            self.driver,
        )
        self.beats = []

    @asynccontextmanager
    async def running(self):
        environment = ActivityEnvironment()
        environment.on_heartbeat = lambda *details: self.beats.append(details)
        task = asyncio.create_task(environment.run(self.activities.run_market_feed))
        await eventually(lambda: self.feed.asked or task.done(), "the feed is followed")
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(market_feed, "RECONNECT_SECONDS", 0.01)
    monkeypatch.setattr(market_feed, "SNAPSHOT_SECONDS", 0.01)
    monkeypatch.setattr(market_feed, "MARK_SECONDS", 0.01)


async def test_market_is_loaded_followed_and_written_down():
    followed = Followed()
    async with followed.running():
        assert followed.feed.asked == (["BTC/USD"], 1)
        assert len(followed.record.candles) == 1
        followed.feed.give(healthy(), a_tick(100, 60), a_bar(1))
        await eventually(lambda: followed.record.snapshots, "a snapshot is written")
        await eventually(lambda: followed.record.marks, "equity is marked")
        ideas = followed.delivery.messages
        await eventually(lambda: len(ideas) == 3, "an idea goes out, and the account's equity")
        assert len(followed.record.candles) == 2
        assert followed.beats


async def test_watches_are_followed_as_they_change():
    followed = Followed()
    async with followed.running():
        followed.record.changes.append(("company", 1, (a_watch(105),)))
        followed.feed.give(healthy(), a_tick(106))
        await eventually(lambda: followed.delivery.messages, "the crossing is told")


async def test_record_that_is_away_for_a_while_stops_nothing():
    followed = Followed()
    async with followed.running() as task:
        followed.record.down = 4
        followed.feed.give(healthy(), a_tick(100))
        await eventually(lambda: followed.record.down == 0, "the record was asked in vain")
        await eventually(lambda: followed.record.snapshots, "a snapshot is written")
        assert not task.done()


async def test_feed_that_ends_ends_the_activity_so_that_it_is_started_again():
    followed = Followed()
    async with followed.running() as task:
        followed.feed.give(None)
        await eventually(task.done, "the activity ends")
        assert isinstance(task.exception().exceptions[0], ConnectionError)


class Judge:
    """A champion whose judging lasts until a test lets it go on."""

    def __init__(self):
        self.go_on, self.judging, self.passed_over = asyncio.Event(), [], []

    async def judge(self, ideas, now):
        self.judging += [idea.idea_id for idea in ideas]
        await self.go_on.wait()
        return [replace(idea, strategy="learned") for idea in ideas]

    async def load(self):
        pass

    async def keep_loaded(self):
        await asyncio.Event().wait()

    def pass_over(self, idea, why):
        self.passed_over.append((idea.idea_id, why))


async def test_champion_that_hangs_holds_no_price_up(monkeypatch):
    monkeypatch.setattr(proposals, "PRIMARY_STRATEGY", "eager")
    monkeypatch.setattr(proposals, "WAITING_MAXIMUM", 2)
    judge = Judge()
    followed = Followed(champion=judge)
    messages = followed.delivery.messages

    def told(kind):
        return [m.fact for m in messages if isinstance(m.fact, kind)]

    def judged():
        return [fact.idea for fact in told(IdeaArrived) if fact.idea.strategy == "learned"]

    async with followed.running() as task:
        followed.record.watches.append(a_watch(105))
        followed.feed.give(healthy(), a_tick(100, 60), a_bar(1))
        await eventually(lambda: judge.judging, "it begins to judge")
        followed.feed.give(a_bar(2), a_bar(3), a_bar(4))
        await eventually(lambda: judge.passed_over, "too many wait")
        followed.feed.give(a_tick(106, 300))
        await eventually(lambda: told(PriceCrossed), "the crossing is told")
        await eventually(
            lambda: any(s.last == 106 for s in followed.record.snapshots), "a snapshot is written"
        )
        assert len(judge.judging) == 1
        assert judged() == []
        ((_, why),) = judge.passed_over
        assert "wait to be judged before it" in why
        judge.go_on.set()
        await eventually(lambda: len(judged()) == 6, "the others are judged, for both followers")
        bars = [idea.bar_start for idea in judged()]
        assert bars == sorted(bars)
        assert not task.done()


async def test_champion_that_breaks_ends_no_feed(monkeypatch):
    monkeypatch.setattr(proposals, "PRIMARY_STRATEGY", "eager")
    judge = Judge()

    async def break_down(ideas, now):
        raise ValueError("odd")

    judge.judge = break_down
    followed = Followed(champion=judge)
    async with followed.running() as task:
        followed.feed.give(healthy(), a_tick(100, 60), a_bar(1))
        await eventually(lambda: judge.passed_over, "it is said")
        assert not task.done()


async def test_fence_is_passed_on_after_the_bars_before_it_were_judged():
    followed = Followed(driver=Fences(), evaluate_at_fences=True)
    async with followed.running():
        followed.feed.give(healthy(), a_tick(100), a_bar(1), Fence(7))
        await eventually(lambda: followed.driver.reached, "the fence is reached")
        assert followed.driver.reached == [7]
        assert len(followed.delivery.messages) == 3
