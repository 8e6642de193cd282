"""Two sources of prices: which of them is silent, apart, or has gone astray alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from models.trading.watches.second_feed import (
    QualityKind,
    SecondFeedRules,
    SourcesSeen,
    apart_for_long,
    compare_sources,
    still_apart,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
RULES = SecondFeedRules()


def looks(*pairs, seconds=60):
    seen, standing = SourcesSeen(), []
    for number, (own, second) in enumerate(pairs):
        prices = [None if price is None else Decimal(price) for price in (own, second)]
        seen = compare_sources(seen, *prices, NOW + timedelta(seconds=seconds * number), RULES)
        standing.append(sorted(kind.value for kind in seen.standing))
    return standing


def test_prices_that_agree_are_no_fault():
    assert looks((100, 101), (101, 100), (103, 102)) == [[], [], []]


def test_prices_apart_count_after_some_looks_and_end_at_once():
    found = looks((100, 103), (100, 103), (100, 103), (100, 103), (100, 101))
    assert found == [[], [], ["diverged"], ["diverged"], []]


def test_jump_that_the_other_did_not_make_stands_until_both_agree():
    found = looks((100, 100), (120, 100), (120, 100), (101, 100))
    assert found == [[], ["anomaly"], ["anomaly"], ["anomaly"]]
    assert looks((100, 100), (120, 119), (120, 119)) == [[], [], []]


def test_second_source_that_tells_nothing_is_stale_after_a_while():
    found = looks((100, 100), *[(100, None)] * 6, (100, 100))
    assert found == [[]] * 6 + [["second_stale"], []]


def test_missing_own_price_is_named_at_once():
    assert looks((None, 100), (100, 100)) == [["own_missing"], []]


def test_one_that_never_told_anything_is_stale_too():
    assert QualityKind.SECOND_STALE.value in looks(*[(100, None)] * 7)[-1]


@pytest.mark.parametrize("odd", ["0", "-1", "NaN", "Infinity", "sNaN"])
def test_price_that_is_no_positive_number_is_silence(odd):
    assert looks((100, 100), (100, odd), (odd, 100), (100, 100)) == [[], [], ["own_missing"], []]
    assert "second_stale" in looks((100, 100), *[(100, odd)] * 7)[-1]


def test_prices_that_lay_apart_before_do_until_both_agree():
    def after(own, second):
        prices = [None if price is None else Decimal(price) for price in (own, second)]
        return compare_sources(still_apart(RULES), *prices, NOW, RULES)

    for prices in ((100, None), (None, 100), (100, 80)):
        assert QualityKind.DIVERGED in after(*prices).standing
    assert apart_for_long(after(100, None), RULES) == 1
    assert apart_for_long(after(100, 80), RULES) == Decimal("0.25")
    assert not after(100, 100).standing
    assert apart_for_long(after(100, 100), RULES) == 0


def apart(*pairs):
    seen = SourcesSeen()
    for number, (own, second) in enumerate(pairs):
        prices = [None if price is None else Decimal(price) for price in (own, second)]
        seen = compare_sources(seen, *prices, NOW + timedelta(minutes=number), RULES)
    return apart_for_long(seen, RULES)


def test_how_far_prices_lie_apart_is_the_least_of_the_newest_looks():
    assert apart((100, 100), (100, 100)) is None, "too few looks"
    assert apart((100, 100), (110, 100), (110, 100)) == 0
    assert apart((103, 100), (110, 100), (105, 100)) == Decimal("0.03")
    assert apart((110, 100), (110, 100), (110, 100), (101, 100)) == Decimal("0.01")


def test_silence_takes_no_doubt_back():
    far = [(110, 100)] * 3
    assert apart(*far, *[(110, None)] * 9) == Decimal("0.1")
    assert apart(*far, *[(None, 100)] * 9) == Decimal("0.1")
