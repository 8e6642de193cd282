"""Watches in memory agree with looking at each of them, and every crossing is told once."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.trade.facts import Direction, PriceWatch, WatchKind
from models.trading.watches.prices import WatchIndex

LEVELS = st.integers(1, 30).map(Decimal)


@st.composite
def watches_of(draw, trade):
    return tuple(
        PriceWatch(
            f"{trade}/{number}",
            draw(st.sampled_from(["company", "director-1"])),
            trade,
            "BTC/USD",
            draw(st.sampled_from(WatchKind)),
            draw(st.sampled_from(Direction)),
            draw(LEVELS),
        )
        for number in range(draw(st.integers(0, 3)))
    )


@st.composite
def steps(draw):
    if draw(st.booleans()):
        return draw(LEVELS)
    trade = draw(st.integers(1, 4))
    account = draw(st.sampled_from(["company", "director-1"]))
    watches = draw(watches_of(trade))
    return account, trade, tuple(replace(watch, account=account) for watch in watches)


def reaches(price, watch):
    rising = watch.direction is Direction.RISES_TO
    return price >= watch.level if rising else price <= watch.level


@given(st.lists(steps(), max_size=30))
def test_index_agrees_with_looking_at_every_watch(story):
    index, plain = WatchIndex(), {}
    for step in story:
        if isinstance(step, Decimal):
            crossed = index.crossed(step)
            expected = [w for group in plain.values() for w in group if reaches(step, w)]
            assert sorted(map(repr, crossed)) == sorted(map(repr, expected))
            plain = {
                key: [w for w in group if not reaches(step, w)] for key, group in plain.items()
            }
        else:
            account, trade, watches = step
            index.replace(account, trade, watches)
            plain[account, trade] = list(watches)
        assert len(index) == sum(len(group) for group in plain.values())


def a_watch(level, direction, trade=1):
    kind = WatchKind.TRAIL
    return PriceWatch(f"{trade}", "company", trade, "BTC/USD", kind, direction, Decimal(level))


def test_crossings_come_in_the_order_in_which_a_price_meets_them():
    index = WatchIndex()
    for trade, level in enumerate([105, 101, 103, 101], start=1):
        index.replace("company", trade, (a_watch(level, Direction.RISES_TO, trade),))
    for trade, level in enumerate([95, 99, 97], start=11):
        index.replace("company", trade, (a_watch(level, Direction.FALLS_TO, trade),))
    assert [w.trade for w in index.crossed(Decimal(104))] == [2, 4, 3]
    assert [w.trade for w in index.crossed(Decimal(90))] == [12, 13, 11]
    assert [w.trade for w in index.crossed(Decimal(1000))] == [1]
    assert len(index) == 0


def test_level_that_is_just_reached_is_crossed():
    index = WatchIndex()
    index.replace("company", 1, (a_watch("100.10", Direction.RISES_TO),))
    assert index.crossed(Decimal("100.09")) == []
    assert len(index.crossed(Decimal("100.1"))) == 1
    assert index.crossed(Decimal("100.1")) == []


@given(st.lists(watches_of(1), max_size=1), LEVELS, st.sets(st.integers(0, 2)))
def test_an_earlier_price_crosses_exactly_the_watches_that_stood_then(groups, price, stood):
    index = WatchIndex()
    watches = [watch for group in groups for watch in group]
    for account in ("company", "director-1"):
        index.replace(account, 1, tuple(w for w in watches if w.account == account))
    names = {f"1/{number}" for number in stood}
    crossed = index.crossed_then(price, lambda watch: watch.watch_id in names)
    expected = [w for w in watches if w.watch_id in names and reaches(price, w)]
    assert sorted(map(repr, crossed)) == sorted(map(repr, expected))
    left = [w for w in watches if w not in expected and reaches(price, w)]
    assert sorted(map(repr, index.crossed(price))) == sorted(map(repr, left))
