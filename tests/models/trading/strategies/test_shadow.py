"""Two decision paths are compared idea by idea."""

from datetime import timedelta
from decimal import Decimal

from models.trading.strategies.shadow import Agreement, Decided, Traded, compare
from tests.models.trading.trading_builders import START


def decided(minutes=0, profit=None, traded=True, failed=()):
    amount = None if profit is None else Decimal(profit)
    one = Traded(1, Decimal(1), Decimal(100), None, Decimal("0.4"), amount) if traded else None
    return Decided("BTC/USD", START + timedelta(minutes=minutes), tuple(failed), one)


def test_every_pair_of_decisions_has_its_name_and_the_newest_comes_first():
    account = {
        "a": decided(1, 10),
        "b": decided(2, traded=False, failed=["limit-exceeded"]),
        "c": decided(3, -5),
        "d": decided(4, traded=False),
        "e": decided(5, 7),
    }
    shadow = {
        "a": decided(1, 4),
        "b": decided(2, traded=False),
        "c": decided(3, traded=False),
        "d": decided(4, 3),
        "f": decided(6, 1),
    }
    found = compare(account, shadow)
    assert [(one.idea_id, one.agreement) for one in found.differences] == [
        ("f", Agreement.NOT_SEEN_BY_ACCOUNT),
        ("e", Agreement.NOT_SEEN_BY_SHADOW),
        ("d", Agreement.ONLY_SHADOW),
        ("c", Agreement.ONLY_ACCOUNT),
        ("b", Agreement.BOTH_REFUSED),
        ("a", Agreement.BOTH_TRADED),
    ]
    assert set(found.counts.values()) == {1}
    assert (found.account_profit, found.shadow_profit) == (12, 8)
    gains = {one.idea_id: one.profit_difference for one in found.differences}
    assert gains == {"a": -6, "b": 0, "c": 5, "d": 3, "e": -7, "f": 1}


def test_profit_of_a_trade_that_runs_is_not_known():
    (one,) = compare({"a": decided()}, {"a": decided(profit=3)}).differences
    assert one.profit_difference is None
