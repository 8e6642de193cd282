"""Strategies see each bar once; longer bars are made for those that ask; history proposes none."""

from dataclasses import dataclass, replace
from datetime import timedelta

from activities.market.strategy_runner import StrategyRunner
from models.trading.ideas import StrategyStanding
from models.trading.market import MarketSnapshot
from tests.support.fakes import BITCOIN
from tests.support.market_fakes import Eager, a_candle


@dataclass
class Hourly(Eager):
    """An idea on each hour."""

    name = "hourly"
    interval_minutes = 60
    standing = StrategyStanding.SHIPPED


def market(candle) -> MarketSnapshot:
    return MarketSnapshot("BTC/USD", candle.close, candle.close, candle.close, candle.start)


def minutes(count: int):
    first = a_candle(0, 100)
    hour = first.start.replace(minute=0)
    step = timedelta(minutes=first.interval_minutes)
    return [replace(first, start=hour + step * n) for n in range(count)]


def test_idea_comes_once_on_each_closed_bar():
    runner = StrategyRunner([Eager()], "home")
    bar = minutes(1)[0]
    runner.take(bar)
    assert len(runner.propose(market(bar), BITCOIN)) == 1
    assert runner.propose(market(bar), BITCOIN) == []


def test_history_warms_up_and_proposes_nothing():
    runner = StrategyRunner([Eager()], "home")
    bars = minutes(5)
    runner.load(bars)
    assert runner.propose(market(bars[-1]), BITCOIN) == []


def test_longer_bars_are_made_of_the_markets_and_continue_those_of_history():
    runner = StrategyRunner([Hourly()], "home")
    per_hour = 60 // minutes(1)[0].interval_minutes
    bars = minutes(3 * per_hour)
    first_hour = replace(bars[0], interval_minutes=60)
    runner.load_longer([first_hour])
    ideas = []
    for bar in bars:
        runner.take(bar)
        ideas += runner.propose(market(bar), BITCOIN)
    # The first hour is known already; the second and the third are new.
    assert [idea.bar_start for idea in ideas] == [bars[per_hour].start, bars[2 * per_hour].start]


def test_the_past_is_asked_for_shipped_strategies_only():
    runner = StrategyRunner([Eager(), Hourly()], "home")
    assert runner.intervals == (60,)
    assert runner.loaded_intervals == (60,)
