import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from models.simulation.markets.generated import GeneratedMarket
from models.simulation.markets.instruments import UNIVERSE
from models.simulation.markets.replay import SourceStateError

START = datetime(2026, 1, 1, tzinfo=UTC)
PAIRS = UNIVERSE.only(["BTC/USD", "ETH/USD", "USDT/USD"])


def a_market(seed=11, universe=PAIRS, **arguments):
    return GeneratedMarket(universe, seed=seed, start=START, **arguments)


def take(market, count):
    return [market.next_step() for _ in range(count)]


def closes(market, bars, symbol="BTC/USD"):
    return [float(part_of(take(market, 10)[-1], symbol).bids[0].price) for _ in range(bars)]


def part_of(step, symbol):
    return next(part for part in step.symbols if part.symbol == symbol)


def test_generated_same_seed_gives_the_same_steps():
    assert take(a_market(), 200) == take(a_market(), 200)


def test_generated_other_seed_gives_other_steps():
    assert take(a_market(), 5) != take(a_market(seed=12), 5)


def test_generated_restored_through_json_goes_on_identically():
    original = a_market()
    take(original, 137)
    resumed = GeneratedMarket(PAIRS, seed=11, start=START + timedelta(days=9))
    resumed.restore(json.loads(json.dumps(original.state())))
    assert take(resumed, 50) == take(original, 50)


def test_generated_state_of_another_market_is_refused():
    with pytest.raises(SourceStateError):
        a_market(bar_minutes=5).restore(a_market().state())


def test_generated_steps_are_on_tick_and_lot_and_never_crossed():
    instruments = PAIRS.instruments
    for step in take(a_market(), 300):
        for part in step.symbols:
            instrument = instruments[part.symbol]
            assert part.bids[0].price < part.asks[0].price
            for side, ascending in ((part.bids, False), (part.asks, True)):
                prices = [level.price for level in side]
                assert prices == sorted(set(prices), reverse=not ascending)
            for price in [x.price for x in (*part.bids, *part.asks, *part.prints)]:
                assert price == instrument.nearest_price(price)
                assert price.as_tuple().exponent == -instrument.price_precision
            for one in part.prints:
                assert one.quantity > 0
                assert one.quantity == instrument.floor_quantity(one.quantity)


def test_generated_small_moves_change_few_levels():
    shares = []
    for before, after in pairwise(take(a_market(), 200)):
        old, new = part_of(before, "BTC/USD").bids, part_of(after, "BTC/USD").bids
        shares.append(len(set(old) & set(new)) / len(new))
    assert sum(shares) / len(shares) > 0.6


def test_generated_market_trends_and_turns_without_running_away():
    prices = closes(a_market(universe=UNIVERSE.only(["BTC/USD"])), 2500)
    windows = [prices[i + 50] / prices[i] - 1 for i in range(0, 2450, 50)]
    assert max(windows) > 0.05
    assert min(windows) < -0.05
    assert 15000 < min(prices) < max(prices) < 300000


def test_generated_coins_move_together_and_stablecoins_stay_at_a_dollar():
    market = a_market()
    returns = {"BTC/USD": [], "ETH/USD": []}
    last = {}
    for step in take(market, 3000):
        for part in step.symbols:
            price = float(part.bids[0].price)
            if part.symbol == "USDT/USD":
                assert 0.99 < price < 1.01
            elif part.symbol in last:
                returns[part.symbol].append(price / last[part.symbol] - 1)
            last[part.symbol] = price
    assert correlation(*returns.values()) > 0.2


def test_generated_time_moves_evenly_and_follows_the_bar_length():
    market = a_market(bar_minutes=5, steps_per_bar=10)
    times = [step.at for step in take(market, 20)]
    assert times[0] == START + timedelta(seconds=30)
    assert times[-1] == START + timedelta(minutes=10)


def test_generated_naive_start_is_refused():
    with pytest.raises(ValueError, match="timezone"):
        GeneratedMarket(PAIRS, seed=1, start=datetime(2026, 1, 1))  # noqa: DTZ001


def correlation(first, second):
    n = len(first)
    mean_first, mean_second = sum(first) / n, sum(second) / n
    cross = sum((a - mean_first) * (b - mean_second) for a, b in zip(first, second, strict=True))
    square_first = sum((a - mean_first) ** 2 for a in first)
    square_second = sum((b - mean_second) ** 2 for b in second)
    return cross / (square_first * square_second) ** 0.5


def test_generated_history_before_the_opening_differs_only_below_the_touch():
    bars = 6
    whole, history = a_market(), a_market()
    history.open_at(START + timedelta(minutes=bars))
    for expected, found in zip(
        take(whole, 10 * bars + 5), take(history, 10 * bars + 5), strict=True
    ):
        if expected.at >= START + timedelta(minutes=bars):
            assert found == expected
            continue
        for one, other in zip(expected.symbols, found.symbols, strict=True):
            assert (other.prints, other.bids, other.asks) == (
                one.prints,
                one.bids[:1],
                one.asks[:1],
            )


def test_generated_market_that_goes_on_gives_whole_books_whatever_opened_before():
    resumed = a_market()
    resumed.open_at(START + timedelta(days=1))
    resumed.restore(a_market().state())
    assert take(resumed, 5) == take(a_market(), 5)
