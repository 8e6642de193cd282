"""The gauges that the processes bring up to date by themselves."""

import time

from activities.adapters.kraken.feed.state import FeedState
from activities.adapters.kraken.limits.rate_budget import Headroom
from tests.support.figures import Figures
from workers.gauges.headroom import HeadroomGauges
from workers.market import publish_ages


def test_headroom_is_that_of_the_fullest_counter_and_refusals_are_counted_once():
    figures, gauges = Figures(), HeadroomGauges()
    gauges.publish({"first": Headroom(0.9, {"BTC/USD": 0.8, "ETH/USD": 0.4}, 0)})
    gauges.publish({"first": Headroom(0.7, {"BTC/USD": 0.9, "ETH/USD": 0.5}, 2)})
    gauges.publish({"first": Headroom(0.7, {}, 2), "second": Headroom(1.0, {}, 0)})
    assert figures.now("aether_rate_read_headroom_ratio", account="first") == 0.7
    assert figures.now("aether_rate_trading_headroom_ratio", account="first") == 1.0
    assert figures.gained("aether_rate_refusals_total", account="first") == 2
    assert figures.now("aether_rate_refusals_total", account="second") == 0


def test_age_of_a_feed_grows_without_anything_running():
    heard_at = {"AGE/USD": time.monotonic() - 30}
    publish_ages(heard_at)
    figures = Figures()
    assert 30 <= figures.now("aether_feed_age_seconds", symbol="AGE/USD") < 32
    heard_at["AGE/USD"] = time.monotonic()
    assert figures.now("aether_feed_age_seconds", symbol="AGE/USD") < 2


def test_symbol_that_was_never_heard_of_has_an_age_from_the_beginning():
    state = FeedState(("BTC/USD",), 1, 10)
    assert 0 <= time.monotonic() - state.heard_at["BTC/USD"] < 2
