"""Market events become facts, each once: bars ideas, prices crossings, and all of it snapshots."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.market.delivery import Sender
from activities.market.engine import MarketEngine
from activities.market.feed import flush_snapshots
from activities.market.strategy_runner import StrategyRunner
from activities.market.symbol_state import SymbolState
from activities.ports.journal import OneSidedBook
from activities.ports.market import PairChanged
from infra.runtime.database.connections import DatabaseUnavailableError
from models.trading.account.facts import IdeaArrived
from models.trading.trade.facts import HEDGE_WATCH, Direction, PriceCrossed, PriceWatch, WatchKind
from tests.support.books import a_book
from tests.support.fakes import BITCOIN
from tests.support.market_fakes import (
    ETHER,
    Eager,
    FakeMarketRecord,
    FakeMessenger,
    KeptMessages,
    a_bar,
    a_candle,
    a_tick,
    a_watch,
    at,
    healthy,
    prices,
)


class Market:
    """An engine over fakes."""

    def __init__(self, *watches, **options):
        self.record = FakeMarketRecord(watches=list(watches))
        self.delivery = KeptMessages()
        self.engine = MarketEngine(
            self.record, self.delivery, StrategyRunner([Eager()], "home"), **options
        )

    async def begin(self, history=()):
        instruments = {"BTC/USD": BITCOIN, "ETH/USD": ETHER}
        await self.engine.start(instruments, {"BTC/USD": list(history)})
        await self.see(healthy(), healthy("ETH/USD"))
        return self

    async def see(self, *events):
        for event in events:
            await self.engine.on_event(event)

    def crossings(self):
        return [
            (m.trade, m.fact.price)
            for m in self.delivery.messages
            if isinstance(m.fact, PriceCrossed)
        ]

    def ideas(self):
        return [m for m in self.delivery.messages if isinstance(m.fact, IdeaArrived)]


async def test_crossing_is_told_once_with_price_and_exchange_time():
    watch = a_watch(105, trade=3)
    market = await Market(watch).begin()
    await market.see(a_tick(100, 1), a_tick(104, 2), a_tick(106, 3), a_tick(107, 4))
    (message,) = market.delivery.messages
    assert (message.account, message.trade, message.watch) == ("company", 3, watch)
    assert message.fact == PriceCrossed(watch.watch_id, watch.kind, Decimal(106), at(3))


async def test_missed_trade_crosses_what_was_watched_at_its_time_and_is_not_the_last_price():
    before = a_watch(105, trade=1)
    market = await Market(before).begin()
    await market.see(a_tick(100, 1), a_tick(101, 9))
    later = a_watch(105, trade=2)
    await market.engine.set_watches("company", 2, (later,))
    await market.see(a_tick(106, 5))
    assert market.crossings() == [(1, Decimal(106))]
    assert market.engine.symbols["BTC/USD"].snapshot.last == 101
    await market.see(a_tick(107, 10))
    assert market.crossings() == [(1, Decimal(106)), (2, Decimal(107))]


async def test_ideas_come_on_the_steps_that_the_pair_has_now():
    market = await Market().begin()
    coarse = replace(BITCOIN, price_increment=Decimal(10), price_precision=0)
    await market.see(PairChanged(coarse), PairChanged(replace(coarse, symbol="NEW/USD")))
    assert market.engine.symbols["BTC/USD"].instrument == coarse
    assert set(market.engine.symbols) == {"BTC/USD", "ETH/USD"}


def a_moment(seconds: int, trade: int = 3, symbol: str = "BTC/USD") -> PriceWatch:
    name = f"moment-{trade}-{seconds}"
    due = at(seconds)
    kind, zero = WatchKind.TIME, Decimal(0)
    return PriceWatch(name, "company", trade, symbol, kind, Direction.COMES, zero, due)


async def test_moment_is_told_once_by_the_markets_clock_with_the_price_of_its_pair():
    watch = a_moment(5)
    market = await Market(watch).begin()
    await market.see(a_tick(100, 1), a_tick(101, 4))
    assert market.delivery.messages == []
    await market.see(a_tick(102, 6), a_tick(103, 7))
    (message,) = market.delivery.messages
    assert (message.trade, message.watch) == (3, watch)
    assert message.fact == PriceCrossed(watch.watch_id, WatchKind.TIME, Decimal(102), at(6))


async def test_moment_that_has_passed_is_told_when_it_is_set_and_after_a_restart():
    market = await Market().begin()
    await market.see(a_tick(100, 9))
    await market.engine.set_watches("company", 3, (a_moment(5),))
    assert [m.trade for m in market.delivery.messages] == [3]
    restarted = await Market(a_moment(5), a_moment(6, trade=4)).begin()
    await restarted.see(a_tick(100, 9))
    assert [m.trade for m in restarted.delivery.messages] == [3, 4]


async def test_moment_of_the_hedge_goes_to_the_hedge():
    watch = a_moment(5, trade=HEDGE_WATCH, symbol="")
    market = await Market(watch).begin()
    await market.see(a_tick(100, 6))
    messenger = FakeMessenger()
    sender = Sender(messenger, market.record)
    for message in market.delivery.messages:
        await sender.carry(message)
    ((account, told_to, fact),) = messenger.told
    assert (account, told_to) == ("company", "hedge")
    assert fact.price == 0
    assert market.record.triggered == [(watch.watch_id, Decimal(0))]


async def test_one_price_crosses_levels_in_the_order_it_meets_them():
    market = await Market(
        a_watch(105, trade=1), a_watch(102, trade=2), a_watch(103, trade=3, account="director-1")
    ).begin()
    await market.see(a_tick(110))
    assert [trade for trade, _ in market.crossings()] == [2, 3, 1]


async def test_price_of_one_pair_crosses_no_level_of_another():
    market = await Market(a_watch(105, symbol="ETH/USD"), a_watch(200)).begin()
    await market.see(a_tick(150), a_tick(104, symbol="ETH/USD"), a_tick(150, symbol="DOGE/USD"))
    assert market.crossings() == []
    await market.see(a_tick(105, symbol="ETH/USD"))
    assert market.crossings() == [(1, 105)]


async def test_price_marks_equity_only_while_it_is_recent_and_its_feed_is_whole(monkeypatch):
    market = await Market().begin()
    await market.see(prices(99, 101), prices(9, 11, symbol="ETH/USD"))
    both = {"BTC/USD": Decimal(99), "ETH/USD": Decimal(9)}
    assert market.engine.prices() == both
    await market.see(prices(99, 101, seconds=3600))
    assert market.engine.prices() == both
    await market.see(prices(99, 101, seconds=3601))
    assert market.engine.prices() == {"BTC/USD": Decimal(99)}
    now = [1000.0]
    monkeypatch.setattr("activities.market.engine.time.monotonic", lambda: now[0])
    await market.see(healthy(is_healthy=False))
    assert market.engine.prices() == {"BTC/USD": Decimal(99)}
    now[0] += 31
    assert market.engine.prices() == {}
    await market.see(healthy())
    assert market.engine.prices() == {"BTC/USD": Decimal(99)}


async def test_quotes_cross_nothing():
    market = await Market(a_watch(105)).begin()
    await market.see(prices(110, 111))
    assert market.crossings() == []


async def test_watch_set_after_its_level_was_passed_is_crossed_at_once():
    market = await Market().begin()
    await market.see(a_tick(110, 5))
    await market.engine.set_watches("company", 4, (a_watch(105, trade=4),))
    assert market.crossings() == [(4, 110)]
    assert market.delivery.messages[0].fact.at == at(5)


async def test_watch_set_while_the_feed_is_broken_waits_for_a_price():
    market = await Market().begin()
    await market.see(a_tick(110), healthy(is_healthy=False))
    await market.engine.set_watches("company", 4, (a_watch(105, trade=4),))
    assert market.crossings() == []
    await market.see(healthy(), a_tick(104, 1))
    assert market.crossings() == []
    await market.see(a_tick(106, 2))
    assert market.crossings() == [(4, 106)]


async def test_replaced_watch_is_not_watched_any_more():
    market = await Market(a_watch(105, name="old")).begin()
    await market.engine.set_watches("company", 1, (a_watch(120, name="new"),))
    await market.see(a_tick(110))
    assert market.crossings() == []
    await market.engine.set_watches("company", 1, ())
    await market.see(a_tick(130))
    assert market.crossings() == []


async def test_crossing_reported_is_not_reported_again_by_a_reload_before_it_is_recorded():
    watch = a_watch(105)
    market = await Market(watch).begin()
    await market.see(a_tick(110))
    await market.engine.reload_watches()
    await market.engine.set_watches("company", 1, (watch,))
    await market.see(a_tick(111))
    assert len(market.crossings()) == 1
    market.record.triggered.append((watch.watch_id, Decimal(110)))
    await market.engine.reload_watches()
    assert market.engine._reported == {}


async def test_reload_takes_up_what_the_record_holds_and_nothing_else():
    market = await Market(a_watch(105, trade=1)).begin()
    market.record.watches = [a_watch(108, trade=2)]
    await market.engine.reload_watches()
    await market.see(a_tick(110))
    assert market.crossings() == [(2, 110)]


async def test_engine_starts_with_the_watches_of_the_record_and_crosses_at_the_first_price():
    falling = a_watch(95, trade=2, direction=Direction.FALLS_TO)
    market = await Market(a_watch(105), falling).begin()
    await market.see(a_tick(94))
    assert market.crossings() == [(2, 94)]


@given(st.lists(st.integers(90, 110), min_size=1), st.lists(st.integers(91, 109), max_size=6))
async def test_every_level_reached_is_told_exactly_once(path, levels):
    market = await Market(*(a_watch(v, trade=n) for n, v in enumerate(levels))).begin()
    for number, price in enumerate(path):
        await market.see(a_tick(price, number))
        if number % 3 == 0:
            await market.engine.reload_watches()
    reached = sorted(n for n, level in enumerate(levels) if max(path) >= level)
    assert sorted(trade for trade, _ in market.crossings()) == reached


# --- ideas ---------------------------------------------------------------------------------------


async def test_idea_comes_on_a_new_bar_only_and_goes_to_every_follower():
    market = await Market().begin(history=[a_candle(0), a_candle(1)])
    await market.see(a_tick(100), a_bar(1), a_bar(0))
    assert market.ideas() == []
    await market.see(a_bar(2), a_bar(2))
    assert [m.account for m in market.ideas()] == ["company", "director-1"]
    assert {m.fact.idea.idea_id for m in market.ideas()} == {"home/BTC/USD/0002"}
    assert market.ideas()[0].fact.market.last == 100
    assert [c.start for c in market.record.candles] == [at(120)]


async def test_broken_feed_gives_no_idea_but_keeps_the_bar():
    market = await Market().begin()
    await market.see(a_tick(100), healthy(is_healthy=False), a_bar(2))
    assert market.ideas() == []
    assert len(market.record.candles) == 1
    await market.see(healthy(), a_bar(3))
    assert len(market.ideas()) == 2


async def test_bar_before_any_price_gives_no_idea():
    market = await Market().begin()
    await market.see(a_bar(2))
    assert market.ideas() == []


async def test_bar_of_an_unknown_pair_is_ignored():
    market = await Market().begin()
    await market.see(a_bar(2, symbol="DOGE/USD"), healthy("DOGE/USD"), prices(1, 2, 0, "DOGE/USD"))
    assert market.record.candles == []


async def test_bars_of_a_step_are_judged_together_once_the_step_was_seen():
    market = await Market(evaluate_at_fences=True).begin()
    await market.see(a_tick(100), a_tick(50, symbol="ETH/USD"))
    await market.see(a_bar(1, symbol="ETH/USD"), a_bar(1))
    assert market.ideas() == []
    await market.engine.on_fence()
    assert [m.fact.idea.symbol for m in market.ideas()] == ["BTC/USD"] * 2 + ["ETH/USD"] * 2
    await market.engine.on_fence()
    assert len(market.ideas()) == 4


# --- one print is not a price ---------------------------------------------------------------------


async def test_a_bad_print_fires_nothing_until_the_book_confirms_it():
    rising = a_watch(105, trade=1)
    falling = a_watch(95, trade=2, direction=Direction.FALLS_TO)
    market = await Market(rising, falling).begin()
    await market.see(prices(99, 101, 1), a_tick(100, 2), a_tick(140, 3), a_tick(60, 4))
    assert market.crossings() == []
    # The same prints again, and now the book follows: each counts as far as the book goes.
    await market.see(a_tick(140, 5), prices(106, 107, 6))
    assert market.crossings() == [(1, Decimal(107))]
    await market.see(a_tick(60, 7), prices(93, 94, 8))
    assert market.crossings() == [(1, Decimal(107)), (2, Decimal(93))]


async def test_a_moment_comes_with_the_best_bid_of_the_book_if_there_is_one():
    due = replace(a_watch(0, trade=4), kind=WatchKind.REST, due_at=at(5))
    due = replace(due, direction=Direction.COMES)
    market = await Market(due).begin()
    await market.see(prices(99, 101, 1), a_tick(100, 6))
    assert market.delivery.messages[0].fact.bid == 99
    market = await Market(due).begin()
    await market.see(OneSidedBook("BTC/USD", at(2), lambda: a_book(1, 2)), a_tick(100, 6))
    assert market.delivery.messages[0].fact.bid is None


async def test_without_a_book_a_print_counts_as_it_is():
    market = await Market(a_watch(105, trade=1)).begin()
    await market.see(prices(99, 101, 1), OneSidedBook("BTC/USD", at(2), lambda: a_book(1, 2)))
    await market.see(a_tick(140, 3))
    assert market.crossings() == [(1, Decimal(140))]


# --- snapshots -----------------------------------------------------------------------------------


async def test_the_book_reaches_the_idea_and_the_record_with_the_time_of_its_last_change():
    market = await Market().begin()
    await market.see(prices(99, 101, 1), a_tick(100, 3))
    book = a_book(99, 101)
    await market.see(replace(prices(99, 101, 4), book=lambda: book), a_tick(100, 5), a_bar(0))
    (idea, _) = market.ideas()
    assert (idea.fact.market.book, idea.fact.market.book_at) == (book, at(4))
    (seen,) = market.engine.take_changed_snapshots()
    assert (seen.book, seen.book_at) == (book, at(4))


async def test_a_book_that_loses_a_side_is_told_at_once_and_leaves_the_prices_as_they_were():
    market = await Market().begin()
    await market.see(prices(99, 101, 1), a_tick(100, 3))
    market.engine.take_changed_snapshots()
    gone = replace(a_book(99, 101), asks=())
    await market.see(OneSidedBook("BTC/USD", at(4), lambda: gone))
    (seen,) = market.engine.take_changed_snapshots()
    assert (seen.bid, seen.ask, seen.book, seen.book_at) == (99, 101, gone, at(4))


async def test_snapshot_has_the_newest_figures_and_is_written_when_it_changed():
    market = await Market().begin(history=[a_candle(n, 100 + n % 2) for n in range(40)])
    engine = market.engine
    assert engine.take_changed_snapshots() == []
    await market.see(prices(99, 101, 1), a_tick(100, 3), prices(98, 102, 2))
    (seen,) = engine.take_changed_snapshots()
    assert (seen.bid, seen.ask, seen.last, seen.depth_quantity) == (98, 102, 100, 7)
    assert (seen.observed_at, seen.stale) == (at(3), False)
    # Bars from 99 to 101 and 100 to 102 by turns: every true range is 3 or less, none below 2.
    assert 2 <= seen.average_true_range <= 3
    assert seen.volatility > 0
    assert engine.take_changed_snapshots() == []
    assert engine.market_time == at(3)
    await market.see(healthy(is_healthy=False))
    assert [s.stale for s in engine.take_changed_snapshots()] == [True]


async def test_bar_brings_range_and_volatility_up_to_date():
    market = await Market().begin(history=[a_candle(n) for n in range(40)])
    await market.see(a_tick(100))
    (before,) = market.engine.take_changed_snapshots()
    await market.see(a_bar(40, 200))
    (after,) = market.engine.take_changed_snapshots()
    assert after.average_true_range > before.average_true_range
    assert after.volatility > before.volatility


async def test_record_that_is_away_neither_ends_the_feed_nor_costs_a_bar(monkeypatch):
    market = await Market().begin()
    await market.see(a_tick(100, 1))

    async def away(_):
        raise DatabaseUnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(market.record, "save_candles", away)
        patch.setattr(market.record, "followers", away)
        await market.see(a_bar(1), a_bar(2))
    await flush_snapshots(market.engine, market.record)
    assert [bar.start for bar in market.record.candles] == [a_candle(1).start, a_candle(2).start]


async def test_snapshot_that_could_not_be_written_is_written_with_the_next():
    market = await Market().begin()
    await market.see(a_tick(100))
    market.record.down = 1
    with pytest.raises(DatabaseUnavailableError):
        await flush_snapshots(market.engine, market.record)
    await flush_snapshots(market.engine, market.record)
    assert [s.last for s in market.record.snapshots] == [100]


def test_figures_need_enough_bars():
    state = SymbolState(BITCOIN)
    state.refresh(at(0), bid=Decimal(1), ask=Decimal(2))
    assert (state.snapshot.last, state.snapshot.average_true_range) == (1, None)
